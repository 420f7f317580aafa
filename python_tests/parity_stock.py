"""Demand with stock, the product scorecard and the alerts, computed by DuckDB from the delivered files.

Quotients are of whole numbers; only what has a square root or a share of a day in it is a float,
rounded half up as PostgreSQL rounds exact decimals.
"""

# ruff: noqa: E501 - lines of SQL

from __future__ import annotations

from conftest import PROJECT

SEEDS = PROJECT / "seeds"

# Thousandths of a unit, cents.
TABLES = """
create macro redondo(x) as cast(floor(x + 0.5 + 1e-9) as hugeint);

create table fotos as
    select fecha, tienda_id, producto_id, formato, region, dias_periodo as largo,
        cast(stock_inicial * 1000 as hugeint) as abre, cast(entradas * 1000 as hugeint) as entra,
        cast(salidas * 1000 as hugeint) as sale, cast(merma * 1000 as hugeint) as pierde,
        cast(stock_final * 1000 as hugeint) as cierra, cast(costo_unitario * 100 as hugeint) as costo,
        cast((select corte.fecha from corte) - fecha as int) as hace, abre > 0 or entra > 0 as con
    from existencias join tiendas using (tienda_id)
    where hace between 0 and 363;

create table pares as
    select tienda_id, producto_id, formato, sum(sale) as salio,
        count(*) filter (where largo = 1 and con and hace < 28) as n28,
        coalesce(sum(sale) filter (where largo = 1 and con and hace < 28), 0) as u28,
        coalesce(sum(sale * sale) filter (where largo = 1 and con and hace < 28), 0) as c28,
        count(*) filter (where largo = 1 and con) as n91,
        coalesce(sum(sale) filter (where largo = 1 and con), 0) as u91,
        coalesce(sum(sale * sale) filter (where largo = 1 and con), 0) as c91
    from fotos where hace < 91 group by all;

create table recientes as
    select tienda_id, producto_id, formato, sum(milli) as milli,
        sum(cociente(10000 * pagado, con_iva)) as neto
    from ventas join corte on fecha_venta between corte.fecha - 27 and corte.fecha group by all;

create table demanda as
    select p.tienda_id, p.producto_id, p.formato, coalesce(r.milli, 0) as vendido,
        salio > 0 or vendido > 0 or exists (
            select 1 from ventas as v, corte
            where v.tienda_id = p.tienda_id and v.producto_id = p.producto_id
                and v.fecha_venta >= date_trunc('month', corte.fecha) - interval 12 month
                and v.fecha_venta < date_trunc('month', corte.fecha)
        ) as vende,
        case when n28 >= 7 then 'ultimos_28' when n91 >= 7 then 'ultimos_91' when fn > 0 then 'formato'
            else 'calendario' end as base,
        case base when 'ultimos_28' then n28 when 'ultimos_91' then n91 when 'formato' then fn else 28 end as n,
        case base when 'ultimos_28' then u28 when 'ultimos_91' then u91 when 'formato' then fu
            else vendido end as u,
        case base when 'ultimos_28' then c28 when 'ultimos_91' then c91 when 'formato' then fc end as c,
        sqrt((n * c - u * u)::double / nullif(n * (n - 1), 0)) as desviacion,
        coalesce(cociente(100000 * m.neto, m.milli),
            cociente(1000000 * cast(precio_lista * 100 as hugeint), con_iva)) as precio
    from pares as p
    join (select producto_id, formato, sum(n91) as fn, sum(u91) as fu, sum(c91) as fc from pares group by all)
        using (producto_id, formato)
    join productos using (producto_id)
    left join recientes as r on r.tienda_id = p.tienda_id and r.producto_id = p.producto_id
    left join (select producto_id, formato, sum(neto) as neto, sum(milli) as milli from recientes group by all) as m
        on m.producto_id = p.producto_id and m.formato = p.formato;

-- The part of a day that a shelf was empty.
create table horas as
    select formato, hora, 1 - sum(lineas) over (partition by formato order by hora)::double
        / sum(lineas) over (partition by formato) as despues
    from (
        select formato, hour(hora) as hora, count(*) as lineas
        from ventas join corte on fecha_venta between corte.fecha - 27 and corte.fecha group by all
    );
create table faltas as
    select f.*, case
            when largo > 1 then 0
            when not con then 1
            when cierra <= 0 then coalesce((
                select despues from horas where horas.formato = f.formato and horas.hora = u.hora
            ), 0)
            else 0
        end as parte
    from fotos as f left join (
        select fecha_venta as fecha, tienda_id, producto_id, hour(max(hora)) as hora from ventas group by all
    ) as u using (fecha, tienda_id, producto_id);

create table ventanas as
    select 'ultimos_' || largo as periodo, largo, corte.fecha - largo + 1 as desde, corte.fecha as hasta,
        least(largo, corte.fecha - (select min(fecha_venta) from ventas) + 1) as dias,
        (select min(fecha - fotos.largo + 1) from fotos where hace < v.largo) as inicio,
        (select max(fecha) from fotos where hace < v.largo) as fin
    from corte, (values (28), (91), (364)) as v (largo);
create table vendido as
    select periodo, if(t, 'total', 'region') as dimension, if(t, 'Total', region) as valor, producto_id,
        sum(lineas) as lineas, sum(unidades) as unidades, sum(total_ventas) as total_ventas,
        sum(if(es_promocion, total_ventas, 0)) as ventas_promocion, sum(descuento) as descuento,
        sum(devoluciones) as devoluciones, sum(ventas_netas) as ventas_netas,
        sum(costo_ventas) as costo_ventas, sum(margen) as margen
    from dia_producto join ventanas on fecha between desde and hasta, (values (true), (false)) as m (t)
    group by all;
create table guardado as
    select periodo, if(t, 'total', 'region') as dimension, if(t, 'Total', region) as valor, f.producto_id,
        sum(if(fecha - f.largo + 1 = inicio, abre, 0)) as inicial, sum(entra) as entra, sum(sale) as sale,
        sum(pierde) as pierde, cociente(sum(if(retirado, 0, pierde * costo)), 1000) as merma_costo,
        cociente(sum(if(retirado, pierde * costo, 0)), 1000) as castigo_costo, sum(if(fecha = fin, cierra, 0)) as queda,
        sum(f.largo * costo * (abre + cierra)) as valor_dias, any_value(2000 * (fin - inicio + 1)) as entre,
        count(*) filter (where f.largo = 1) as observados, sum(if(f.largo = 1, sale, 0)) as salio_observado,
        count(*) filter (where f.largo = 1 and cierra <= 0) as cierres,
        count(*) filter (where f.largo = 1 and not con) as completos, sum(parte) as partes,
        sum(if(parte > 0, parte * u / n, 0)) as perdidas,
        sum(if(parte > 0, parte * u / n * precio / 1e5, 0)) as perdido
    from (
        select faltas.*,
            coalesce(fecha_retiro between faltas.fecha - faltas.largo + 1 and faltas.fecha, false) as retirado
        from faltas join (select producto_id, fecha_retiro from productos) using (producto_id)
    ) as f join ventanas as v on hace < v.largo
    left join demanda as d on d.tienda_id = f.tienda_id and d.producto_id = f.producto_id,
        (values (true), (false)) as m (t)
    group by all;
create table clases_abc as
    select dimension, valor, producto_id,
        sum(ventas_netas) over (partition by dimension, valor order by ventas_netas desc, producto_id)
            - ventas_netas as antes,
        sum(ventas_netas) over (partition by dimension, valor) as todas,
        case when 5 * antes < 4 * todas then 'A' when 20 * antes < 19 * todas then 'B' else 'C' end as clase
    from vendido where periodo = 'ultimos_364';
create table variacion as
    select dimension, valor, producto_id, count(*) as semanas,
        if(semanas >= 4 and avg(tasa) > 0, stddev_samp(tasa) / avg(tasa), null) as coeficiente
    from (
        select if(t, 'total', 'region') as dimension, if(t, 'Total', region) as valor, producto_id,
            hace // 7 as semana,
            sum(if(con, sale, 0))::double / nullif(count(*) filter (where con), 0) as tasa
        from fotos, (values (true), (false)) as m (t) where largo = 1 group by all having count(distinct fecha) = 7
    ) where tasa is not null group by all;
"""

ALERTS = f"""
create table politica as from '{SEEDS}/politica_inventario.csv';
create table niveles as from '{SEEDS}/niveles_servicio.csv';
create table plazos as
    select proveedor, count(*) as n, sum(fecha_entrega - fecha_pedido) as dias,
        stddev_samp(fecha_entrega - fecha_pedido) as desviacion
    from pedidos join corte on fecha_pedido > corte.fecha - 364 and fecha_pedido <= corte.fecha
        and fecha_entrega <= corte.fecha
    group by all having count(*) >= 10;
create table lineas_pedidas as
    select tienda_id, producto_id, fecha_pedido as desde, coalesce(fecha_entrega, date '9999-12-31') as llega,
        fecha_promesa, cast(unidades_pedidas * 1000 as hugeint) as milli
    from pedidos join corte on fecha_pedido <= corte.fecha;
create table limites as
    select d.*, p.activo and t.activo and vende as es_activo, coalesce(clase, 'C') as clase,
        k.nivel_servicio_pct, z, coalesce(a.n, 0) as entregas, dias_maximos,
        coalesce(a.dias::double / a.n, plazo_dias::double) as plazo,
        coalesce(a.desviacion, desviacion_plazo::double) as plazo_desviacion,
        plazo + dias_revision as cubre, u::double / d.n / 1000 as por_dia,
        por_dia * cubre + z * sqrt(
            cubre * coalesce(d.desviacion / 1000, 0) ** 2 + (por_dia * plazo_desviacion) ** 2
        ) as reorden,
        greatest(cast(existencia_minima * 1000 as hugeint), 1000 * piezas_por_caja) as minima
    from demanda as d join productos as p using (producto_id) join tiendas as t using (tienda_id)
    join politica on politica.categoria = p.categoria
    left join clases_abc as b on b.producto_id = d.producto_id and b.dimension = 'total'
    join niveles as k on k.clase_abc = coalesce(b.clase, 'C')
    left join plazos as a using (proveedor);
create macro estado(stock, pedido, activo, u, n, reorden, maximos, minima) as case
    when not activo then 'NORMAL'
    when stock <= 0 and u > 0 then 'SIN_STOCK'
    when stock > 0 and (stock + pedido) / 1000 < reorden then 'STOCK_BAJO'
    when stock > minima and stock * n > maximos * u then 'SOBRESTOCK'
    else 'NORMAL' end;
create table dias_de_stock as
    select f.fecha, f.tienda_id, f.producto_id, f.cierra, f.costo, f.largo,
        coalesce(sum(o.milli), 0) as pedido, min(fecha_promesa) as promesa
    from fotos as f left join lineas_pedidas as o on o.tienda_id = f.tienda_id
        and o.producto_id = f.producto_id and f.fecha >= desde and f.fecha < llega and f.fecha < desde + 182
    where hace < 91 group by all;
create table estados as
    select s.*, estado(cierra, pedido, es_activo, u, n, reorden, dias_maximos, minima) as estado
    from dias_de_stock as s join limites using (tienda_id, producto_id);
create table hoy as
    select e.*, l.* exclude (tienda_id, producto_id), (
            select count(*) from estados as a
            where a.tienda_id = e.tienda_id and a.producto_id = e.producto_id and a.largo = 1
                and a.fecha > coalesce((
                    select max(b.fecha) from estados as b
                    where b.tienda_id = e.tienda_id and b.producto_id = e.producto_id and b.largo = 1
                        and b.estado != e.estado
                ), date '1900-01-01')
        ) as seguidos,
        if(promesa is null, cubre, greatest(promesa - corte.fecha, 1)) as falta,
        greatest(precio - 100 * costo, 0) as gana4, gana4 / 1e4 as gana,
        case estado
            when 'NORMAL' then null
            when 'SOBRESTOCK'
                then (cierra / 1000 - greatest(por_dia * dias_maximos, minima / 1000)) * costo / 100
            else greatest(falta * por_dia - cierra / 1000, 0) * gana
        end as dinero
    from estados as e join limites as l using (tienda_id, producto_id), corte
    where e.fecha = (
        select max(f.fecha) from fotos as f join tiendas as t using (tienda_id)
        where f.tienda_id = e.tienda_id and f.fecha > (select max(fecha) - 7 from fotos)
            and (f.fecha = (select max(fecha) from fotos) or coalesce(t.fecha_cierre, if(t.activo,
                date '9999-12-31', date '1900-01-01')) >= (select max(fecha) from fotos))
    );
"""

EXPECTED = {
    "mv_demanda_tienda_producto": """
        select tienda_id, producto_id, vende as tiene_ventas, vendido as unidades_28_dias, base as base_demanda,
            n as dias_con_stock, u as unidades_con_stock, c as cuadrados_unidades,
            cociente(10 * u, n) as demanda_diaria, redondo(10 * desviacion) as desviacion_diaria,
            redondo(10 * desviacion / sqrt(n)) as error_demanda, precio as precio_sin_iva
        from demanda
    """,
    "mv_desempeno_producto": """
        select periodo, dimension, valor, producto_id, desde, hasta, dias, coalesce(clase, 'C') as clase_abc,
            case when coeficiente < 0.5 then 'X' when coeficiente < 1 then 'Y' when coeficiente >= 1 then 'Z'
                end as clase_xyz,
            redondo(10000 * coeficiente) as coeficiente_variacion, coalesce(semanas, 0) as semanas_observadas,
            coalesce(lineas, 0) as lineas, coalesce(unidades, 0) as unidades,
            coalesce(v.total_ventas, 0) as total_ventas, coalesce(v.ventas_promocion, 0) as ventas_promocion,
            coalesce(v.descuento, 0) as descuento, coalesce(v.devoluciones, 0) as devoluciones,
            coalesce(v.ventas_netas, 0) as ventas_netas, coalesce(v.costo_ventas, 0) as costo_ventas,
            coalesce(v.margen, 0) as margen, cociente(10000 * v.margen, v.ventas_netas) as margen_pct,
            cociente(10000 * v.ventas_promocion, v.total_ventas) as promocion_pct,
            cociente(10000 * v.devoluciones, v.total_ventas) as devolucion_pct,
            inicio as existencia_desde, coalesce(merma_costo, 0) as merma_costo,
            coalesce(castigo_costo, 0) as castigo_costo, coalesce(inicial, 0) as existencia_inicial, coalesce(entra, 0) as entradas,
            coalesce(sale, 0) as salidas, coalesce(pierde, 0) as merma, coalesce(queda, 0) as existencia_final,
            coalesce(cociente(valor_dias, entre), 0) as valor_inventario_medio,
            cociente(10000 * sale, inicial + entra) as sell_through_pct,
            cociente(36400 * entre * coalesce(v.costo_ventas, 0), dias * valor_dias) as rotacion,
            cociente(36400 * entre * coalesce(v.margen, 0), dias * valor_dias) as gmroi,
            cociente(10 * dias * coalesce(queda, 0), unidades) as dias_inventario,
            coalesce(observados, 0) as dias_observados, coalesce(cierres, 0) as dias_cierre_sin_stock,
            coalesce(completos, 0) as dias_completos_sin_stock,
            cociente(10000 * cierres, observados) as cierre_sin_stock_pct,
            cociente(10000 * completos, observados) as dia_completo_sin_stock_pct,
            coalesce(salio_observado, 0) as salidas_observadas,
            redondo(100 * coalesce(partes, 0)) as dias_equivalentes_sin_stock,
            redondo(coalesce(perdidas, 0)) as unidades_perdidas,
            redondo(coalesce(perdido, 0)) as ventas_perdidas
        from vendido as v full join guardado as g using (periodo, dimension, valor, producto_id)
        join ventanas using (periodo)
        left join clases_abc using (dimension, valor, producto_id)
        left join variacion using (dimension, valor, producto_id)
    """,
    "mv_inventory_alerts": """
        select tienda_id, producto_id, fecha, cierra as stock_actual,
            cociente(10 * vendido, 28) as venta_diaria_promedio, cociente(10 * cierra * n, u) as dias_inventario,
            estado as alerta_inventario, es_activo, base as base_demanda, n as dias_con_stock,
            cociente(10 * u, n) as demanda_diaria, redondo(10 * desviacion) as desviacion_diaria,
            clase as clase_abc, redondo(100 * nivel_servicio_pct) as nivel_servicio_pct,
            pedido as en_camino, promesa as fecha_proxima_entrega, redondo(100 * plazo) as plazo_dias,
            redondo(100 * plazo_desviacion) as desviacion_plazo, entregas as entregas_observadas,
            redondo(1000 * reorden) as punto_reorden, minima as existencia_minima,
            greatest(cociente(dias_maximos * u, n), minima) as existencia_maxima,
            if(estado = 'NORMAL', null, seguidos) as dias_en_estado, redondo(100 * falta) as dias_sin_entrega,
            if(estado in ('SIN_STOCK', 'STOCK_BAJO'), cociente(u * precio, n * 100000), null)
                as venta_perdida_diaria,
            if(estado in ('SIN_STOCK', 'STOCK_BAJO'), cociente(u * gana4, n * 100000), null)
                as margen_perdido_diario,
            redondo(100 * dinero) as dinero_en_riesgo,
            if(estado = 'NORMAL', null, row_number() over (
                partition by estado -- doubles: equal fractions may differ in their last bit
                order by round(dinero, 9) desc, round(por_dia * gana, 9) desc, tienda_id, producto_id
            )) as posicion
        from hoy
    """,
}
