// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { EntityName, EntityProperty, InferEntity } from '@mikro-orm/core'
import type { EntityManager } from '@mikro-orm/postgresql'

import { runBound } from './bound-query.ts'
import { encrypted, EncryptedText } from './encrypted-text.ts'

/**
 * Inserts a row whose values are all bound, so that nothing of it stands in the statement; what is encrypted is bound to
 * the row's id.
 *
 * @param values by the entity's property; columns that are left out get their default
 */
export async function insertRow<Entity extends EntityName>(em: EntityManager, entity: Entity, values: Partial<InferEntity<Entity>>): Promise<void> {
	const meta = em.getMetadata().get(entity)
	const platform = em.getPlatform()
	const key = meta.getPrimaryProp()
	const given = meta.props.map((property) => ({ property, value: (values as Record<string, unknown>)[property.name] })).filter(({ value }) => value !== undefined)
	const parameter = (of: EntityProperty) => `$${given.findIndex(({ property }) => property === of) + 1}`
	// With its type, since it is used as a text as well.
	const row = `${parameter(key)}::${key.columnTypes[0]}`
	const columns = given.map(({ property }) => {
		const [column = ''] = property.fieldNames
		return { column, sql: property.customType instanceof EncryptedText ? encrypted(parameter(property), row, column) : property === key ? row : parameter(property) }
	})
	await runBound(
		em,
		`insert into ${meta.tableName} (${columns.map(({ column }) => column).join(', ')}) values (${columns.map(({ sql }) => sql).join(', ')})`,
		given.map(({ property, value }) => property.customType?.convertToDatabaseValue(value, platform) ?? value),
	)
}
