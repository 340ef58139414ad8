import { idOf, randomOf } from './random.ts';

/** Who is there in the demo school. */
export type Person = {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  role: 'student' | 'instructor' | 'admin';
  timeZone: string;
  /** Days before now at which they signed up. */
  joinedDaysAgo: number;
  /** 0–1: how steadily they work. */
  diligence: number;
};

/** Everybody in the demo data signs in with this. */
export const DEMO_PASSWORD = 'homeroom-demo';

/** bcrypt of {@link DEMO_PASSWORD}, cost 10: one hash for all, since it protects nothing. */
export const DEMO_PASSWORD_HASH = '$2b$10$Wm9yT3JkZXJseUJlbmNoZO4mOIgeLmEfZ1Ytqw0qPfGk3HIyowvnG';

const STUDENTS = `
Adaeze Nwosu, Africa/Lagos | Aiko Tanabe, Asia/Tokyo | Aleksander Wójcik, Europe/Warsaw
Amina Yusuf, Africa/Nairobi | Ana Lucía Herrera, America/Bogota | Anders Holm, Europe/Copenhagen
Arjun Menon, Asia/Kolkata | Bao Tran, Asia/Ho_Chi_Minh | Beatriz Carvalho, Europe/Lisbon
Caleb Johnson, America/Chicago | Camille Laurent, Europe/Paris | Chen Wei, Asia/Shanghai
Chiara Romano, Europe/Rome | Daniel Mensah, Africa/Accra | Dilnoza Karimova, Asia/Tashkent
Elif Yıldız, Europe/Istanbul | Emma van Dijk, Europe/Amsterdam | Farid Rahimi, Europe/Berlin
Fatima Zahra Idrissi, Africa/Casablanca | Finn O'Sullivan, Europe/Dublin | Gabriela Souza, America/Sao_Paulo
Hana Kim, Asia/Seoul | Hugo Almeida, Europe/Lisbon | Ingrid Solberg, Europe/Oslo
Isabel Navarro, Europe/Madrid | Jakub Novák, Europe/Prague | Jamal Carter, America/New_York
Kavya Iyer, Asia/Kolkata | Keanu Kahale, Pacific/Honolulu | Lea Zimmermann, Europe/Vienna
Leilani Tupou, Pacific/Auckland | Lucas Bergström, Europe/Stockholm | Maja Kovačević, Europe/Zagreb
Malik Diallo, Africa/Dakar | Mateo Rojas, America/Santiago | Mei-Ling Chua, Asia/Singapore
Nadia Petrova, Europe/Sofia | Niamh Byrne, Europe/Dublin | Omar Haddad, Asia/Amman
Priya Shankar, Asia/Kolkata | Rafael Ortiz, America/Mexico_City | Ruth Abebe, Africa/Addis_Ababa
Sakari Virtanen, Europe/Helsinki | Samira Hosseini, Europe/London | Thandiwe Dlamini, Africa/Johannesburg
Theo Papadakis, Europe/Athens | Yara Nasser, Asia/Beirut | Zofia Lis, Europe/Warsaw`;

function person(
  email: string,
  name: string,
  timeZone: string,
  joinedDaysAgo: number,
  rest: Partial<Person> = {},
): Person {
  const [firstName = '', ...lastNames] = name.split(' ');
  return {
    id: idOf('person', email),
    email,
    firstName,
    lastName: lastNames.join(' '),
    role: 'student',
    timeZone,
    joinedDaysAgo,
    diligence: 0.7,
    ...rest,
  };
}

/** The accounts that have a name of their own in the README. */
export const accounts = {
  student: person('student@homeroom.test', 'Amara Osei', 'Europe/London', 52, { diligence: 0.8 }),
  student2: person('student2@homeroom.test', 'Jonas Weber', 'Europe/Berlin', 31),
  marta: person('instructor@homeroom.test', 'Marta Lindqvist', 'Europe/Stockholm', 190, {
    role: 'instructor',
  }),
  tomas: person('tomas.abreu@homeroom.test', 'Tomás Abreu', 'Europe/Lisbon', 170, {
    role: 'instructor',
  }),
  admin: person('admin@homeroom.test', 'Noor Haddad', 'UTC', 200, { role: 'admin' }),
};

/** Everybody else. */
export function otherStudents(): Person[] {
  const random = randomOf('students');
  return STUDENTS.split(/[|\n]/)
    .filter((entry) => entry.trim() !== '')
    .map((entry) => {
      const [name = '', zone = 'UTC'] = entry.split(',').map((part) => part.trim());
      const address = name
        .normalize('NFD')
        .replace(/[\u0300-\u036f']/g, '')
        .replace(/ı/g, 'i')
        .toLowerCase()
        .replace(/[^a-z]+/g, '.');
      return person(`${address}@homeroom.test`, name, zone, random.between(6, 75), {
        diligence: 0.15 + random.next() * 0.85,
      });
    });
}
