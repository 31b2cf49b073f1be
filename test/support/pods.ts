/** Pods and Services as tests write them: the one image that there is, and what a container does as a line of shell. */
import { testImage } from './kubernetes-machine.ts';

type Fields = { [field: string]: unknown };

export const podSpec = (name: string, command: string, spec: Fields = {}): Fields => ({
  terminationGracePeriodSeconds: 1,
  containers: [{ name, image: testImage, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', command] }],
  ...spec,
});

export const pod = (name: string, command: string, spec: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: podSpec(name, command, spec),
});

/** A pod on each node that lets it, all of them with the label `app`. */
export const daemonSet = (name: string, command: string, spec: Fields = {}): Fields => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec(name, command, spec) },
  },
});

export const deployment = (name: string, replicas: number, command: string, spec: Fields = {}): Fields => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec(name, command, spec) },
  },
});

/** Port 80 for port 8080 of the pods with the label `app` of that name. */
export const service = (name: string, spec: Fields = {}, port: Fields = {}): Fields => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080, ...port }], ...spec },
});

export const list = (...items: object[]): string => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

/** Answers each request with the name of its pod. */
export const serve = 'mkdir -p /tmp/www; hostname >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www';
export const wait = 'exec sleep 3600';
