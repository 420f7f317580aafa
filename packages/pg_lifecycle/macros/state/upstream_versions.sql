{#
    What a model reads, and in which version: {queries, has_periods, ignored}.

    queries: SQL texts, each returning (origin text, lower text, upper text, version text). origin is the name of a
    relation without its database, which may be a copy; lower and upper are the bounds of the period that the version is
    for, null for a relation that has one version as a whole. A version that starts with `unknown:` is new in every run.
    has_periods: whether some parent knows versions by period.

    Walks dbt's graph upwards from `node`, through ephemeral models and views, to what holds rows:

    - `partitioned` models, and sources that another project built as such: a version per partition;
    - a source with `meta.versions`, the name of a macro: what its query says;
    - `upsert` and `materialized_view` models: one version, new when a row changed;
    - views: the hash of the SQL that is deployed, and what they read;
    - seeds: the hash of the rows that are deployed;
    - everything else that holds rows (stock `table` and `incremental` models, snapshots, plain source tables): its
      files and PostgreSQL's count of the rows written to it, so it changed when it was rebuilt or written to;
    - where PostgreSQL counts nothing (foreign tables, sources that are views): unknown.

    sql: the compiled SQL of the node, if there is one: a parent that it does not name (because only a foreign key or a
    hook refers to it) is not read. ignores_changes_of (config): names of parents whose changes count for nothing.
#}
{% macro upstream_versions(node, sql=none) %}
    {%- set found = {'queries': [], 'has_periods': false, 'ignored': []} -%}
    {%- set ignores = node.config.get('ignores_changes_of') or [] -%}
    {%- set sql = pg_lifecycle.normalize_sql(sql) if sql else none -%}
    {%- do pg_lifecycle._walk_upstream(node, sql, ignores, found, []) -%}
    {%- for name in ignores if name not in found.ignored and sql -%}
        {%- do pg_lifecycle.refuse(
            'ignores_changes_of', "'" ~ name ~ "'", 'names of models, seeds and sources that it reads', node
        ) -%}
    {%- endfor -%}
    {{- return(found) -}}
{% endmacro %}


{% macro _walk_upstream(node, sql, ignores, found, seen) %}
    {%- for unique_id in node.depends_on.nodes | sort if unique_id not in seen -%}
        {%- do seen.append(unique_id) -%}
        {%- set parent = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
        {%- if parent.config.materialized == 'ephemeral' -%}
            {%- do pg_lifecycle._walk_upstream(parent, sql, ignores, found, seen) -%}
        {%- elif parent.name in ignores -%}
            {%- do found.ignored.append(parent.name) -%}
        {%- elif sql is none or (parent.identifier or parent.alias) in sql -%}
            {%- set relation = pg_lifecycle.read_relation(parent) -%}
            {%- set by_period = pg_lifecycle._period_versions(parent, relation) -%}
            {%- set versions = by_period or pg_lifecycle._whole_version(parent, relation) -%}
            {%- do found.queries.append(
                'select ' ~ pg_lifecycle.literal(relation.include(database=false).render())
                ~ ', lower::text, upper::text, version::text from (' ~ versions ~ ') as versions'
            ) -%}
            {%- if by_period -%}
                {%- do found.update(has_periods=true) -%}
            {%- endif -%}
            {%- if parent.config.materialized == 'view' -%}
                {%- do pg_lifecycle._walk_upstream(parent, none, ignores, found, seen) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{# SQL: (lower, upper, version) of a parent that knows its periods, none for one that does not. #}
{% macro _period_versions(parent, relation) %}
    {%- set partitions -%}
        select lower, upper, state ->> 'version' as version
        from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
        where state ->> 'version' is not null
    {%- endset -%}
    {%- if parent.config.materialized == 'partitioned' -%}
        {{- return(partitions) -}}
    {%- elif parent.resource_type == 'source' -%}
        {%- set versions = (parent.config.meta or {}).get('versions') -%}
        {%- if versions -%}
            {{- return(pg_lifecycle.call_hook('meta.versions', versions, parent, relation)) -}}
        {%- elif run_query('select 1 from (' ~ partitions ~ ') as partitions limit 1') | length > 0 -%}
            {{- return(partitions) -}}
        {%- endif -%}
    {%- endif -%}
    {{- return(none) -}}
{% endmacro %}


{# SQL: (lower, upper, version) of a parent that has one version as a whole. #}
{% macro _whole_version(parent, relation) %}
    {%- set oid = pg_lifecycle.oid_of(relation) -%}
    {%- set state = pg_lifecycle.state_of(oid) -%}
    {%- if parent.resource_type == 'seed' -%}
        {%- set version -%}
            (select md5(string_agg(seed::text, '|' order by seed::text collate "C")) from {{ relation }} as seed)
        {%- endset -%}
    {%- elif parent.config.materialized == 'view' -%}
        {%- set version = 'coalesce(' ~ state ~ " ->> 'definition', md5(pg_get_viewdef(" ~ oid ~ ')))' -%}
    {%- elif parent.config.materialized in ('upsert', 'materialized_view') -%}
        {%- set version = state ~ " ->> 'version'" -%}
    {%- else -%}
        {%- set version -%}
            coalesce(
                {{ state }} ->> 'version',
                (
                    select md5(string_agg(
                        concat_ws(
                            ':', oid, relfilenode, pg_stat_get_tuples_inserted(oid), pg_stat_get_tuples_updated(oid),
                            pg_stat_get_tuples_deleted(oid)
                        ),
                        ',' order by oid
                    ))
                    from pg_catalog.pg_class
                    where
                        relkind in ('r', 'm') and current_setting('track_counts')::boolean
                        and (oid = {{ oid }} or oid in (select relid from pg_partition_tree({{ oid }})))
                ),
                'unknown: {{ invocation_id }}'
            )
        {%- endset -%}
    {%- endif -%}
    {{- return('select null as lower, null as upper, ' ~ version ~ ' as version') -}}
{% endmacro %}
