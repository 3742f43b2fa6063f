/**
 * What a browser posts after a passkey ceremony: the JSON of a PublicKeyCredential (WebAuthn §5.1), read strictly before any of its
 * bytes are looked at.
 */
import { z } from 'zod';

const base64url = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[A-Za-z0-9_-]+$/);

/** Up to 1,023 bytes (WebAuthn §5.8.3). */
const credentialId = base64url(1364);
const bytes = base64url(8192);

const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'];

const common = { id: credentialId, rawId: credentialId, type: z.literal('public-key') };

const kinds = {
  registration: z.object({
    ...common,
    response: z.object({
      clientDataJSON: bytes,
      attestationObject: bytes,
      transports: z.array(z.string().max(50)).max(20).optional(),
    }),
    clientExtensionResults: z
      .object({ credProps: z.object({ rk: z.boolean().optional() }).optional() })
      .default({}),
  }),
  authentication: z.object({
    ...common,
    response: z.object({
      clientDataJSON: bytes,
      authenticatorData: bytes,
      signature: bytes,
      userHandle: base64url(86)
        .nullish()
        .transform((handle) => handle ?? undefined),
    }),
    clientExtensionResults: z.object({}).default({}),
  }),
} as const;

const clientData = z.object({ crossOrigin: z.boolean().optional() });

export interface Answer {
  readonly credential_id: string;
  /** Who an authenticator says is there; null where it does not keep that. Nothing of it is verified yet. */
  readonly user_handle: string | null;
  /** Whether the ceremony ran in a frame of another site. */
  readonly framed: boolean;
  /** How a browser reaches a new passkey: the words that are defined (WebAuthn §5.8.4). */
  readonly transports: readonly string[];
  /** Whether the authenticator finds a new passkey without being told its id. */
  readonly discoverable: boolean;
  /** What the library verifies. */
  readonly json: z.output<(typeof kinds)[keyof typeof kinds]>;
}

/** The answer in a form's field, or why it is none. */
export function readAnswer(text: string, kind: keyof typeof kinds): Answer | { readonly refused: string } {
  const parsed = kinds[kind].safeParse(parseJson(text));
  if (!parsed.success) return { refused: 'it is no credential as browsers give it' };
  const json = parsed.data;
  const { response, clientExtensionResults } = json;
  const told = clientData.safeParse(parseJson(Buffer.from(response.clientDataJSON, 'base64url').toString()));
  if (!told.success) return { refused: 'its client data cannot be read' };
  return {
    credential_id: json.id,
    user_handle: 'userHandle' in response ? (response.userHandle ?? null) : null,
    framed: told.data.crossOrigin === true,
    transports:
      'transports' in response ? transports.filter((word) => response.transports?.includes(word)) : [],
    discoverable: 'credProps' in clientExtensionResults && clientExtensionResults.credProps?.rk === true,
    json,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
