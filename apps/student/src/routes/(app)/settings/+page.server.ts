import {
  changePassword,
  loadSettings,
  savePreferences,
  saveProfile,
} from '@homeroom/portal/server';

export const load = loadSettings;

export const actions = {
  profile: saveProfile,
  preferences: savePreferences,
  password: changePassword,
};
