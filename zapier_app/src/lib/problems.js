/** Problem documents (RFC 9457) of the API, in words for a person. */

const describeField = ({ field, message }) => (field ? `${field}: ${message}` : message);

const isProblem = (data) => typeof data?.detail === 'string' || typeof data?.title === 'string';

/**
 * Return the code and a readable message of an answer that refuses something.
 *
 * @param {{status: number, data?: object}} response
 * @param {string} name Who answered.
 * @returns {{code: string, message: string}}
 */
export const describeProblem = ({ status, data }, name) => {
  if (!isProblem(data)) {
    return { code: 'HttpError', message: `${name} answered with the status ${status}.` };
  }
  const fields = (data.errors ?? []).map(describeField).join('; ');
  const summary = data.detail ?? data.title;
  return { code: data.code ?? 'HttpError', message: fields ? `${summary} (${fields})` : summary };
};
