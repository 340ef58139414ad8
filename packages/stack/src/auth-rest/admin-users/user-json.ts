/** A user as GoTrue shows it. Pure. */

type Json = Record<string, unknown>;

/** The columns of `auth.users` that are shown. */
export type UserRow = {
  id: string;
  aud: string | null;
  role: string | null;
  email: string | null;
  phone: string | null;
  email_confirmed_at: Date | null;
  phone_confirmed_at: Date | null;
  confirmed_at: Date | null;
  confirmation_sent_at: Date | null;
  recovery_sent_at: Date | null;
  invited_at: Date | null;
  last_sign_in_at: Date | null;
  raw_app_meta_data: Json | null;
  raw_user_meta_data: Json | null;
  banned_until: Date | null;
  deleted_at: Date | null;
  is_anonymous: boolean;
  created_at: Date;
  updated_at: Date;
};

/** The columns of `auth.identities` that are shown. */
export type IdentityRow = {
  id: string;
  provider: string;
  provider_id: string;
  user_id: string;
  identity_data: Json;
  email: string | null;
  last_sign_in_at: Date | null;
  created_at: Date;
  updated_at: Date;
};

/** What clients get: supabase-js' `User`. */
export type UserJson = Json & { id: string };

/** Times that aren't there are left out, as GoTrue does. */
export function toUserJson(user: UserRow, identities: IdentityRow[]): UserJson {
  return {
    id: user.id,
    aud: user.aud ?? 'authenticated',
    role: user.role ?? 'authenticated',
    email: user.email ?? '',
    ...whenSet('email_confirmed_at', user.email_confirmed_at),
    phone: user.phone ?? '',
    ...whenSet('phone_confirmed_at', user.phone_confirmed_at),
    ...whenSet('confirmation_sent_at', user.confirmation_sent_at),
    ...whenSet('confirmed_at', user.confirmed_at),
    ...whenSet('recovery_sent_at', user.recovery_sent_at),
    ...whenSet('invited_at', user.invited_at),
    ...whenSet('last_sign_in_at', user.last_sign_in_at),
    app_metadata: user.raw_app_meta_data ?? {},
    user_metadata: user.raw_user_meta_data ?? {},
    identities: identities.map(toIdentityJson),
    created_at: user.created_at,
    updated_at: user.updated_at,
    ...whenSet('banned_until', user.banned_until),
    ...whenSet('deleted_at', user.deleted_at),
    is_anonymous: user.is_anonymous,
  };
}

function toIdentityJson(identity: IdentityRow): Json {
  return {
    identity_id: identity.id,
    id: identity.provider_id,
    user_id: identity.user_id,
    identity_data: identity.identity_data,
    provider: identity.provider,
    ...whenSet('last_sign_in_at', identity.last_sign_in_at),
    created_at: identity.created_at,
    updated_at: identity.updated_at,
    ...(identity.email === null ? {} : { email: identity.email }),
  };
}

function whenSet(name: string, time: Date | null): Json {
  return time === null ? {} : { [name]: time };
}
