{#
    Materialization `partitioned`: a table partitioned by range of a date, where only the partitions whose source
    changed are built again, each outside the tree and exchanged in a transaction of its own.

    Config:
    - partition_by: {fields: [column], granularity: day | week | month | quarter | year}
    - indexes: see `parse_indexes`
    - also_rebuild: SQL that returns a column `lower`: dates whose partitions are built although no version changed
    - publish_check: SQL, see `check_before_publishing`: what is built may still not be published
    - partition_window: [from, to] ISO dates; a period outside stops the run before anything is made
    Vars: rebuild_range: [from, to] ISO dates, to build again by hand. `--full-refresh` builds every partition again;
    even then nothing is dropped that a reader may hold.

    Transactions: two per partition, one builds and one publishes, so the publishing one holds no lock of the building
    one. What is finished stays when a later partition fails, and the next run goes on from there. Run twice it builds
    nothing.
#}
{% materialization partitioned, adapter='postgres' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set partitioning = parse_partition_by(config.require('partition_by')) -%}
    {%- set indexes = parse_indexes(config.get('indexes')) -%}
    {%- set constraints = contract_constraints(relation.identifier) -%}
    {%- if not config.get('contract').enforced -%}
        {%- do exceptions.raise_compiler_error("model " ~ model.name ~ ": a partitioned model needs an enforced contract, its partitions are made from it") -%}
    {%- endif -%}
    {%- if 'partition_filter' not in sql -%}
        {%- do exceptions.raise_compiler_error("model " ~ model.name ~ ": no partition_filter in its SQL; write `where {{ partition_filter('" ~ partitioning.column ~ "') }}` where the source is read") -%}
    {%- endif -%}
    {%- set upstream = upstream_versions(model) -%}
    {%- set definition = local_md5(([hash_sql(sql)] + upstream.definition) | join(',')) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {% do get_assert_columns_equivalent(sql) %}
    {% do lock_model(relation) %}

    {% set changes = compare_parent(relation, partitioning, constraints, indexes) %}
    {% if changes %}
        {% do run_in_transaction('schema', changes) %}
    {% endif %}

    {% set plan = plan_partitions(
        read_plan(relation, partitioning, upstream, config.get('also_rebuild')),
        definition,
        full_refresh=should_full_refresh(),
        rebuild_range=parse_date_range('var rebuild_range', var('rebuild_range', none)),
        window=parse_date_range('partition_window', config.get('partition_window')),
        retained_from=read_state(relation).get('retained_from')
    ) %}
    {% set refused = plan | selectattr('action', 'equalto', 'refuse') | list %}
    {% if refused %}
        {% do exceptions.raise_compiler_error(refuse_message(relation, refused)) %}
    {% endif %}
    {% set to_build = plan | selectattr('action', 'equalto', 'build') | list %}
    {% do log_decision(relation, to_build | length ~ ' of ' ~ plan | length ~ ' partitions to build') %}

    {% do drop_leftovers(relation) %}
    {% for partition in to_build %}
        {% set new = relation.incorporate(path={'identifier': new_name(partition.name)}) %}
        {% do log_decision(relation.incorporate(path={'identifier': partition.name}), 'build, ' ~ partition.reason) %}
        {% do run_in_transaction('build', build_partition(
            relation, new, partition.name, partition.lower, partition.upper, partitioning, sql, constraints, indexes
        )) %}
        {% do run_in_transaction('exchange', exchange_partition(
            relation, new, partition.name, partition.existing_name, partition.lower, partition.upper, partitioning,
            constraints, indexes, state_sql(partition.sources, definition, 'select count(*) from ' ~ new)
        )) %}
    {% endfor %}

    {% do run_in_transaction(
        'main', document_relation(relation, 'table') ~ '\n' ~ analyze_parent(relation, to_build | length), synchronous=true
    ) %}
    {% do unlock_model(relation) %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}


{# Drops what a killed run left outside the tree: tables under construction that never were attached. #}
{% macro drop_leftovers(relation) %}
    {%- set leftovers_sql -%}
        select relname as name
        from pg_catalog.pg_class
        where
            relnamespace = to_regnamespace('{{ relation.include(database=false, identifier=false) }}')
            and relkind = 'r' and not relispartition
            and relname ~ '^{{ relation.identifier }}_p.*__new$'
    {%- endset -%}
    {%- for row in run_query(leftovers_sql) -%}
        {%- do log_decision(relation.incorporate(path={'identifier': row['name']}), 'left over by a killed run, dropped') -%}
        {%- do run_in_transaction('leftover', 'drop table ' ~ relation.include(database=false, identifier=false) ~ '.' ~ row['name'] ~ ';') -%}
    {%- endfor -%}
{% endmacro %}
