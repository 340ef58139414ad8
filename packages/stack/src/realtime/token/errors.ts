/** Why a token is refused: `code` opens a join's error, `message` is upstream's text. */
export class TokenError extends Error {
  readonly code: 'InvalidJWTToken' | 'MalformedJWT' | 'JwtSignatureError' | 'JwtSignerError';

  constructor(code: TokenError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Upstream's words for a token past its `exp`, in whole seconds. */
export function expiredMessage(exp: number, nowMs: number): string {
  return `Token has expired ${Math.max(0, Math.floor(nowMs / 1000) - exp)} seconds ago`;
}
