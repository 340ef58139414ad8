import {
  changePassword,
  loadSettings,
  resetCoursePreferences,
  saveCoursePreferences,
  saveDigest,
  savePreferences,
  savePrivacy,
  saveProfile,
  saveQuietHours,
} from '@homeroom/portal/server';

export const load = loadSettings;

export const actions = {
  profile: saveProfile,
  preferences: savePreferences,
  course: saveCoursePreferences,
  courseReset: resetCoursePreferences,
  quiet: saveQuietHours,
  digest: saveDigest,
  privacy: savePrivacy,
  password: changePassword,
};
