export { type BuiltCourse, type BuiltUser, type BuiltWorkshop, type Builders } from './builders.ts';
export { TEST_JWT_SECRET, testDatabase, type Actor, type TestDatabase } from './test-database.ts';
