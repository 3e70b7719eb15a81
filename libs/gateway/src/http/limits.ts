/** Limits of the HTTP server. Times are milliseconds, sizes bytes. */

/** For a request to arrive whole, and for its headers alone. */
export const REQUEST_TIMEOUT_MS = 30_000;
export const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the keep-alive of usual load balancers (60 s), so that they close first. */
export const KEEP_ALIVE_MS = 72_000;
/** A silent socket is closed; longer than the longest wait of a GET plus the call's budget. */
export const SOCKET_SILENCE_MS = 120_000;
export const CONNECTIONS_MAX = 10_000;
export const REQUESTS_IN_FLIGHT_MAX = 10_000;
export const HEADER_BYTES_MAX = 16 * 1024;
/** Longer path segments answer 414 before anything else is looked at. */
export const PATH_PARAMETER_LENGTH_MAX = 1_024;
