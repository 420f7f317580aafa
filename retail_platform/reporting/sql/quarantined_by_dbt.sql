-- Rows that wait for what they lack. Grain: reason and table.
-- Variable: quarantined, the relations of dbt's quarantine that exist.
with

quarantined as (

    select
        null::bigint as carga_id,
        null::bigint as fila,
        null::text[] as motivos
    where false
    {% for relation in quarantined %}
        union all
        select
            carga_id,
            fila,
            motivos
        from {{ relation }}
    {% endfor %}

)

select
    motivo as reason,
    c.tabla as "table",
    count(*) as "rows",
    (array_agg(c.archivo || ' row ' || q.fila order by q.carga_id desc, q.fila))[1] as example
from quarantined as q
inner join staging.cargas as c on q.carga_id = c.carga_id
cross join unnest(q.motivos) as motivo
group by motivo, c.tabla
order by count(*) desc
