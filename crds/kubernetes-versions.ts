/** Which Kubernetes runs where: components that change together, and the nixpkgs that they come from. */
import { z } from 'zod';
import { mapList } from './rules.ts';

/** In the order of an upgrade. Controllers: controller manager and scheduler; kubelet: with kube-proxy. */
export const componentGroups = ['etcd', 'apiServer', 'controllers', 'kubelet'] as const;
export type ComponentGroup = (typeof componentGroups)[number];

export const minorPattern = /^1[.][1-9][0-9]$/;
export const minor = () => z.string().regex(minorPattern).max(4);

export const componentVersions = z.object({
  etcd: minor().optional().describe('The Kubernetes whose nixpkgs etcd comes from.'),
  apiServer: minor().optional().describe('The API server.'),
  controllers: minor().optional().describe('Controller manager and scheduler.'),
  kubelet: minor().optional().describe('kubelet and kube-proxy.'),
});
export type ComponentVersions = z.output<typeof componentVersions>;

/** A nixpkgs as it was asked for, and what it was resolved to. */
export const kubernetesSource = z.object({
  version: minor().describe('The minor version that is taken from it.'),
  url: z.string().max(2048).describe('The flake reference that was resolved.'),
  refresh: z.string().max(256).optional().describe('`refresh` at that time.'),
  locked: z.string().max(8192).describe('What flake.lock says under `locked`, as JSON text.'),
});
export type KubernetesSource = z.output<typeof kubernetesSource>;

/** A host's own record of what runs on it. */
export const kubernetesOfHost = z.object({
  versions: componentVersions.describe('Minor versions of its components.'),
  sources: mapList(kubernetesSource, 'version', 4).describe('Where they come from.'),
});
export type KubernetesOfHost = z.output<typeof kubernetesOfHost>;

/** `1.37` is 37, so that minors can be counted. */
export const minorNumber = (version: string): number => Number(version.split('.')[1]);
export const minorText = (number: number): string => `1.${number}`;
