{#
    What a model reads, and in which version: a dict of
    - `queries`: SQL texts, each returning (origin text, lower text, upper text, version text); origin is the name of a
      relation without its database, which may be a copy; lower and upper are the bounds of the period that the version is
      for, null for a relation that has one version as a whole;
    - `definition`: the hashes of the views and seeds between the model and what carries a version, so that changed
      logic in a view counts as a change of the models that read it.

    Walks dbt's graph upwards from `node` and stops at what carries versions: partitioned models (a version per
    partition), upserted tables and materialized views (one version), and sources with `meta.version_query`.
#}
{% macro upstream_versions(node) %}
    {%- set found = {'queries': [], 'definition': []} -%}
    {%- do _walk_upstream(node, found, []) -%}
    {{- return(found) -}}
{% endmacro %}


{% macro _walk_upstream(node, found, seen) %}
    {%- for unique_id in node.depends_on.nodes | sort if unique_id not in seen -%}
        {%- do seen.append(unique_id) -%}
        {%- set parent = graph.nodes.get(unique_id) or graph.sources.get(unique_id) -%}
        {%- set relation = api.Relation.create(parent.database, parent.schema, parent.identifier or parent.alias) -%}
        {%- if parent.resource_type == 'source' -%}
            {%- set version_query = (parent.config.meta or {}).get('version_query') -%}
            {%- if version_query -%}
                {%- do found.queries.append(
                    "select '" ~ relation.include(database=false) ~ "', lower::text, upper::text, version::text from ("
                    ~ version_query ~ ") as versions"
                ) -%}
            {%- endif -%}
        {%- elif parent.resource_type == 'seed' -%}
            {%- do found.definition.append(parent.checksum.checksum) -%}
        {%- elif parent.config.materialized == 'partitioned' -%}
            {%- do found.queries.append(_partition_versions(relation)) -%}
        {%- elif parent.config.materialized in ('upsert', 'materialized_view') -%}
            {%- do found.queries.append(
                "select '" ~ relation.include(database=false) ~ "', null, null, " ~ state_of("to_regclass('" ~ relation.render() ~ "')")
                ~ " ->> 'version'"
            ) -%}
        {%- elif parent.resource_type == 'model' -%}
            {%- do found.definition.append(hash_sql(parent.raw_code)) -%}
            {%- do _walk_upstream(parent, found, seen) -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}


{% macro _partition_versions(relation) %}
    {{- return(
        "select '" ~ relation.include(database=false) ~ "', lower, upper, state ->> 'version' from (" ~ partitions_of(relation) ~ ") as partitions"
        ~ " where state ->> 'version' is not null"
    ) -}}
{% endmacro %}
