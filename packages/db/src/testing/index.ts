export {
  type BuiltCourse,
  type BuiltModule,
  type BuiltUser,
  type BuiltWorkshop,
  type Builders,
  type LessonValues,
} from './builders.ts';
export { TEST_JWT_SECRET, testDatabase, type Actor, type TestDatabase } from './test-database.ts';
