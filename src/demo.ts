/** `npm run demo`: starts the demo, says where to click, then tells what happens until Ctrl-C. */
import { createNarrator } from './demo/narrator.js';
import { DemoError, readPorts, type Urls } from './demo/ports.js';
import { person } from './demo/seed.js';
import { startDemo } from './demo/start.js';

const print = (line: string) => void process.stdout.write(`${line}\n`);

function welcome(urls: Urls): string {
  return `
  Sallyport demo: two applications on two sites, one password.

  1  Open App A and sign in     ${urls.app_a}
  2  Open App B and sign in     ${urls.app_b}   no password this time
  3  Sign out everywhere in one of them, then reload the other: it is signed out,
     too, and the API refuses its access token as revoked

     E-mail     ${person.email}
     Password   ${person.password}

     The identity server is ${urls.server}, the API ${urls.api}.
     If your browser does not find app-b.localhost, use another one (README, “Try it”).

  What happens is told here. Ctrl-C stops the demo and removes its data.
`;
}

/** Resolves at Ctrl-C and the like. Those that follow are ignored: npm passes Ctrl-C on, so it may come twice. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
    process.stdout.on('error', () => resolve()); // whoever read along has gone: `npm run demo | head`
  });
}

async function run(): Promise<void> {
  const end = stopped();
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const demo = await startDemo({
    ports: readPorts(process.env),
    narrator: createNarrator({ print, colour }),
  });
  print(welcome(demo.urls));
  await end;
  await demo.close();
}

try {
  await run();
} catch (error) {
  if (!(error instanceof DemoError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
