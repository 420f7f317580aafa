{#
    on-run-end hook. A version younger than the first of its tests is not marked: another build made it.
#}
{% macro remember_tested(results) %}
    {%- if not execute or flags.WHICH not in ('build', 'test') -%}
        {{- return('') -}}
    {%- endif -%}
    {%- set outcomes = {} -%}
    {%- for result in results if result.node.resource_type == 'test' and result.timing -%}
        {%- for unique_id in result.node.depends_on.nodes -%}
            {%- set outcome = outcomes.setdefault(
                unique_id, {'passed': true, 'started': result.timing[0].started_at}
            ) -%}
            {%- if result.status not in ('pass', 'warn') -%}
                {%- do outcome.update(passed=false) -%}
            {%- endif -%}
            {%- if result.timing[0].started_at < outcome.started -%}
                {%- do outcome.update(started=result.timing[0].started_at) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for unique_id, outcome in outcomes.items() if outcome.passed and unique_id in graph.nodes -%}
        {%- set node = graph.nodes[unique_id] -%}
        {%- if node.config.materialized in ('partitioned', 'upsert', 'materialized_view', 'snapshot')
            and pg_lifecycle._ran_all_tests(node, results) -%}
            {%- do pg_lifecycle._mark_tested(
                pg_lifecycle.relation_of(node),
                'materialized view' if node.config.materialized == 'materialized_view' else 'table',
                outcome.started.strftime('%Y%m%dT%H%M%S%f')
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{# Whether every enabled test on a model was part of the run: a selection of tests proves nothing about the others. #}
{% macro _ran_all_tests(node, results) %}
    {%- set ran = results | rejectattr('status', 'equalto', 'skipped') | map(attribute='node')
        | map(attribute='unique_id') | list -%}
    {%- for test in graph.nodes.values() if test.resource_type == 'test'
        and node.unique_id in test.depends_on.nodes and test.unique_id not in ran -%}
        {{- return(false) -}}
    {%- endfor -%}
    {{- return(true) -}}
{% endmacro %}


{% macro _mark_tested(relation, kind, until) %}
    {%- call statement('remember_tested', auto_begin=False) -%}
do $mark$
declare
    kept record;
begin
    for kept in
        select format('table %I.%I', {{ pg_lifecycle.literal(relation.schema) }}, name) as object, oid, state
        from ({{ pg_lifecycle.partitions_of(relation) }}) as partitions
        union all
        select {{ pg_lifecycle.literal(kind ~ ' ' ~ relation.include(database=false).render()) }}, oid, state
        from (
            select oid, {{ pg_lifecycle.state_of('oid') }} as state
            from pg_catalog.pg_class
            where oid = {{ pg_lifecycle.oid_of(relation) }}
        ) as whole
    loop
        if
            kept.state ->> 'version' < '{{ until }}'
            and kept.state ->> 'tested' is distinct from kept.state ->> 'version'
        then
            execute format(
                'comment on %s is %L',
                kept.object,
                replace(
                    obj_description(kept.oid, 'pg_class'),
                    kept.state::text,
                    (kept.state || jsonb_build_object('tested', kept.state ->> 'version'))::text
                )
            );
        end if;
    end loop;
end
$mark$;
    {%- endcall -%}
{% endmacro %}
