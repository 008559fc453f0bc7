/** A meter's name where its place is written above it: without the place, if it begins with it. */
export function nameInPlace(name: string, place: string): string {
  const rest = place && name.startsWith(place) ? name.slice(place.length).trim() : ''
  return rest ? rest.charAt(0).toUpperCase() + rest.slice(1) : name
}

/** A meter's name where nothing tells its place: meters of different buildings often bear one name. */
export function nameWithPlace(name: string, place: string): string {
  return place && !name.startsWith(place) ? `${place} ${name}` : name
}
