import {
  changePassword,
  loadSettings,
  savePreferences,
  savePrivacy,
  saveProfile,
} from '@homeroom/portal/server';

export const load = loadSettings;

export const actions = {
  profile: saveProfile,
  preferences: savePreferences,
  privacy: savePrivacy,
  password: changePassword,
};
