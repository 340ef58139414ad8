/** Encoding byte of kinds 3 and 4: the payload is bytes. */
export const BINARY_ENCODING = 0;
/** Encoding byte of kinds 3 and 4: the payload is JSON text. */
export const JSON_ENCODING = 1;

/** A broadcast's payload as it travels in kinds 3 and 4: never parsed on its way through. */
export type BinaryPayload = { event: string; isJson: boolean; bytes: Uint8Array };
