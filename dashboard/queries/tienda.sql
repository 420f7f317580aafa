-- One store.
select * from {{ ref('tiendas') }}
where tienda_id = {{ param('tienda') }}::integer
