/** Everything the OpenStack services know. */
export interface CloudState {
  readonly region: string
}
