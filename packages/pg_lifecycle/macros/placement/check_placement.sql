{#
    on-run-end hook. What has a placement in its config and was built lies there, or the run ends in an error that names
    it: a project that builds without complaint on a cluster and uses none of its workers is the usual mistake. Tables
    without a placement are named in the log. Asks nothing where the database is no cluster. Returns no SQL.
#}
{% macro check_placement() %}
    {%- if not execute or flags.WHICH not in ('build', 'run', 'seed') or not pg_lifecycle.is_citus() -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set placements = {} -%}
    {%- set tables_query -%}
        select
            format('"%s"."%s"', pg_namespace.nspname, pg_class.relname) as name,
            coalesce(placements.kind, 'local') as kind,
            placements.column_name
        from pg_catalog.pg_class
        inner join pg_catalog.pg_namespace on pg_namespace.oid = pg_class.relnamespace
        left join ({{ pg_lifecycle.placements() }}) as placements on placements.oid = pg_class.oid
        where pg_class.relkind in ('r', 'p') and not pg_class.relispartition
    {%- endset -%}
    {%- for row in run_query(tables_query) -%}
        {%- do placements.update({row['name']: {'kind': row['kind'], 'column': row['column_name']}}) -%}
    {%- endfor -%}
    {%- set misplaced = [] -%}
    {%- set unplaced = [] -%}
    {%- for node in graph.nodes.values()
        if node.resource_type == 'seed' or node.config.materialized in ('partitioned', 'upsert') -%}
        {%- set relation = pg_lifecycle.relation_of(node).include(database=false).render() -%}
        {%- set wanted = pg_lifecycle.placement_of(node) -%}
        {%- set actual = placements.get(relation) -%}
        {%- if actual and actual != wanted -%}
            {%- do misplaced.append(
                relation ~ ' is ' ~ pg_lifecycle.name_of_placement(actual) ~ ', ' ~ node.resource_type ~ ' '
                ~ node.name ~ ' wants it ' ~ pg_lifecycle.name_of_placement(wanted)
            ) -%}
        {%- elif actual and wanted.kind == 'local' -%}
            {%- do unplaced.append(node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if unplaced -%}
        {%- do log(
            '  citus: on the coordinator only, by config (no distributed_by, no reference): '
            ~ unplaced | sort | join(', '), info=True
        ) -%}
    {%- endif -%}
    {%- if misplaced -%}
        {%- do pg_lifecycle.refuse_operation(
            'citus: these do not lie where their config says:\n  - ' ~ misplaced | sort | join('\n  - ')
            ~ '\nWhat was built before the extension was there, or with another config, is moved away and built anew: '
            ~ "dbt run-operation retire_relation --args '{model: ..., dry_run: false}', then dbt build."
        ) -%}
    {%- endif -%}
{% endmacro %}
