{#
    SQL of what is published in a schema, read from the catalog only: a row for each table, materialized view and view
    that a materialization of this package made there, whatever is in the project now. Any role may run it.

    Columns: oid, name, kind (relkind), published_at (null: never), version (text, changes exactly when what is
    published changed), sources (hash of the versions that it was built from), rows (counted when it was published,
    exact then; null for a view), is_tested (it has tests, and all passed on this version), is_building (a session whose
    role may act as the owner holds the lock of `lock_model` now, so a build that died is none), data_through (see
    `state_sql`).

    A partitioned table is what its partitions say; a view is what it reads, through other views and in other schemas.
#}
{% macro published_relations(schema) %}
    with recursive

    reads (reader, oid) as (

        select c.oid, c.oid
        from pg_catalog.pg_class as c
        inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where
            n.nspname = {{ pg_lifecycle.literal(schema) }}
            and c.relkind in ('r', 'p', 'm', 'v')
            and not c.relispartition
        union
        select reads.reader, read.oid
        from reads
        inner join pg_catalog.pg_class as c on reads.oid = c.oid and c.relkind = 'v'
        cross join lateral (
            select distinct d.refobjid as oid
            from pg_catalog.pg_rewrite as w
            inner join pg_catalog.pg_depend as d on w.oid = d.objid
            where
                w.ev_class = reads.oid
                and d.classid = 'pg_catalog.pg_rewrite'::regclass
                and d.refclassid = 'pg_catalog.pg_class'::regclass
                and d.refobjid != reads.oid
        ) as read

    ),

    relations as materialized (

        select
            c.oid,
            c.relname::text as name,
            c.relkind,
            pg_catalog.hashtext(pg_catalog.format('"%s"."%s"', n.nspname, c.relname)) as lock_family,
            c.relowner,
            {{ pg_lifecycle.state_of('c.oid') }} as state
        from pg_catalog.pg_class as c
        inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
        where c.oid in (select reads.oid from reads)

    ),

    -- What holds rows, or the SQL of a view: each has a version of its own.
    parts as materialized (

        select oid, name, state from relations where relkind != 'p'
        union all
        select i.inhparent, c.relname::text, {{ pg_lifecycle.state_of('c.oid') }}
        from pg_catalog.pg_inherits as i
        inner join pg_catalog.pg_class as c on i.inhrelid = c.oid
        where i.inhparent in (select relations.oid from relations where relations.relkind = 'p')

    ),

    builders as materialized (

        select l.classid::bigint as lock_family, a.usesysid
        from pg_catalog.pg_locks as l
        inner join pg_catalog.pg_stat_activity as a on l.pid = a.pid
        where
            l.locktype = 'advisory' and l.granted and l.objsubid = 2
            and l.database = (select d.oid from pg_catalog.pg_database as d where d.datname = current_database())

    ),

    own as (

        select
            relations.oid,
            relations.relkind,
            max((parts.state ->> 'built_at')::timestamptz) as published_at,
            string_agg(
                parts.name || '|' || (parts.state ->> 'version'), ',' order by parts.name
            ) as versions,
            string_agg(
                parts.name || '|' || nullif(parts.state ->> 'sources', ''), ',' order by parts.name
            ) as sources,
            sum((parts.state ->> 'rows')::bigint)::bigint as rows,
            bool_and(coalesce(parts.state ->> 'tested' = parts.state ->> 'version', false)) as is_tested,
            exists (
                select from builders
                where
                    builders.lock_family = relations.lock_family::bigint & 4294967295
                    and pg_catalog.pg_has_role(builders.usesysid, relations.relowner, 'usage')
            ) as is_building,
            nullif(max(parts.state ->> 'data_through'), '') as data_through,
            relations.state is not null or count(parts.state) > 0 as has_state
        from relations
        left join parts on relations.oid = parts.oid
        group by relations.oid, relations.relkind, relations.lock_family, relations.relowner, relations.state

    )

    select
        relations.oid,
        relations.name,
        relations.relkind as kind,
        max(own.published_at) as published_at,
        md5(string_agg(own.oid || '|' || own.versions, ',' order by own.oid)) as version,
        md5(string_agg(own.oid || '|' || own.sources, ',' order by own.oid)) as sources,
        sum(own.rows) filter (where relations.relkind != 'v')::bigint as rows,
        coalesce(bool_and(own.is_tested) filter (where own.relkind != 'v'), false) as is_tested,
        bool_or(own.is_building) as is_building,
        min(own.data_through) as data_through
    from reads
    inner join relations on reads.reader = relations.oid
    inner join own on reads.oid = own.oid
    where relations.oid in (select made.oid from own as made where made.has_state)
    group by relations.oid, relations.name, relations.relkind
{% endmacro %}
