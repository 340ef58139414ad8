import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import typescript from 'typescript-eslint';

/** Who may import whom: apps → portal → ui, realtime, api → db. The stack stands alone. */
const mayImport = {
  stack: [],
  db: [],
  api: ['db'],
  client: ['api'],
  realtime: ['api'],
  ui: [],
  portal: ['api', 'realtime', 'ui'],
};

/** Tests may start what they need for real. */
const testsMayImport = ['stack', 'db', 'api'];

const packages = Object.keys(mayImport);

function onlyImports(from, allowed) {
  const forbidden = packages.filter((name) => name !== from && !allowed.includes(name));
  return {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            group: forbidden.flatMap((name) => [`@homeroom/${name}`, `@homeroom/${name}/*`]),
            message: `${from} may import ${allowed.length === 0 ? 'no other package of ours' : allowed.join(', ')}. Move the code down to the package that both need, or pass what is needed in as an argument.`,
          },
          {
            group: ['**/packages/*/src/**', '@homeroom/*/src/**'],
            message: 'Import what the package exports; if it lacks something, export it there.',
          },
        ],
      },
    ],
  };
}

const boundaries = Object.entries(mayImport).flatMap(([name, allowed]) => [
  {
    files: [`packages/${name}/src/**/*.{ts,svelte}`],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: onlyImports(name, allowed),
  },
  {
    files: [`packages/${name}/src/**/*.test.ts`, `packages/${name}/src/testing/**/*.ts`],
    rules: onlyImports(name, name === 'stack' ? [] : [...new Set([...allowed, ...testsMayImport])]),
  },
]);

const contractRule = {
  files: ['packages/api/src/**/contract.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex:
              '^(?!zod$|\\.{1,2}/(.*/)?(contract|[a-z-]+-contract)\\.ts$|\\./server/(error-codes|live-contract)\\.ts$)',
            message:
              'A contract imports zod and other contracts only: browsers and services load it without the server.',
          },
        ],
      },
    ],
  },
};

export default defineConfig(
  globalIgnores([
    '**/node_modules/',
    '**/.svelte-kit/',
    '**/build/',
    '**/dist/',
    '.homeroom/',
    'test-results/',
    'playwright-report/',
    'supabase/',
  ]),
  js.configs.recommended,
  {
    files: ['**/*.{ts,svelte}'],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: {
      globals: { ...globals.node, ...globals.browser },
      parserOptions: {
        projectService: { allowDefaultProject: ['*.ts'] },
        extraFileExtensions: ['.svelte'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/ban-ts-comment': 'error',
      // Options carry callbacks in method form, and are taken apart at the door.
      '@typescript-eslint/unbound-method': 'off',
      // SvelteKit's App.Locals is given its members by extending.
      '@typescript-eslint/no-empty-object-type': [
        'error',
        { allowInterfaces: 'with-single-extends' },
      ],
      // Playwright reads a fixture's needs from its parameter, which may be none.
      'no-empty-pattern': ['error', { allowObjectPatternsAsParameters: true }],
      'no-empty': 'error',
      eqeqeq: 'error',
    },
  },
  svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: typescript.parser } },
    rules: {
      // The portals are served at the root of their host.
      'svelte/no-navigation-without-resolve': 'off',
      // The linter doesn't infer what Svelte passes to handlers and snippets; svelte-check does.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  ...boundaries,
  contractRule,
  { files: ['**/*.js'], languageOptions: { globals: globals.node } },
  prettier,
  svelte.configs.prettier,
);
