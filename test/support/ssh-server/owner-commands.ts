/** Who may change the host. */
import { accepted, admit, type Command, int, Refusal, text } from './invocation.ts';
import { refuseWhileOnTrial } from './trial-commands.ts';

export const claim: Command = ({ state, witness }, { fields }) => {
  const { owner, running } = state;
  const [installation, fence] = [text(fields.installation), int(fields.fence)];
  const same = owner?.installation === installation && owner.owner === fields.owner;
  if (owner !== null && !same && fields.adopt !== 1) {
    throw new Refusal(
      'OwnedByOther',
      `this host belongs to ${owner.owner} of the installation ${owner.installation}`,
    );
  }
  if (owner?.installation === installation && fence < owner.fence) {
    throw new Refusal('Fenced', `a newer operator (fence ${owner.fence}) was here; this one has ${fence}`);
  }
  state.release0 ??= { running: running.system, booted: running.booted, profile: running.profile };
  state.owner = { installation, fence, owner: text(fields.owner), uid: text(fields.uid) };
  witness.admitted(state.owner);
  return accepted;
};

export const disown: Command = (machine, call) => {
  admit(machine, call);
  refuseWhileOnTrial(machine);
  machine.state.owner = null;
  machine.witness.disowned();
  return accepted;
};

export const depart: Command = ({ state }) => {
  if (state.owner !== null || state.release0 !== null) throw new Refusal('Busy', 'the host is deployed to');
  state.programs.clear();
  return accepted;
};
