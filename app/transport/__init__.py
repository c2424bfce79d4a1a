"""The network: the only home of pycurl."""
