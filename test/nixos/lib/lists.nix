{
  inherit (builtins)
    all
    any
    concatLists
    concatMap
    elem
    elemAt
    filter
    genList
    groupBy
    head
    length
    map
    partition
    sort
    tail
    ;
  foldl' = builtins.foldl';
  foldr =
    op: initial: list:
    let
      go = i: if i == builtins.length list then initial else op (builtins.elemAt list i) (go (i + 1));
    in
    go 0;
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: list: if condition then list else [ ];
  singleton = x: [ x ];
  toList = x: if builtins.isList x then x else [ x ];
  last = list: builtins.elemAt list (builtins.length list - 1);
  range = first: final: if first > final then [ ] else builtins.genList (i: first + i) (final - first + 1);
  unique = builtins.foldl' (seen: x: if builtins.elem x seen then seen else seen ++ [ x ]) [ ];
  subtractLists = unwanted: builtins.filter (x: !builtins.elem x unwanted);
  intersectLists = wanted: builtins.filter (x: builtins.elem x wanted);
  imap0 = f: list: builtins.genList (i: f i (builtins.elemAt list i)) (builtins.length list);
  imap1 = f: list: builtins.genList (i: f (i + 1) (builtins.elemAt list i)) (builtins.length list);
  findFirst =
    predicate: fallback: list:
    let
      found = builtins.filter predicate list;
    in
    if found == [ ] then fallback else builtins.head found;
  flatten =
    let
      go = x: if builtins.isList x then builtins.concatMap go x else [ x ];
    in
    go;
  drop = n: list: builtins.genList (i: builtins.elemAt list (n + i)) (if builtins.length list > n then builtins.length list - n else 0);
  take = n: list: builtins.genList (builtins.elemAt list) (if builtins.length list < n then builtins.length list else n);
  count = predicate: builtins.foldl' (n: x: if predicate x then n + 1 else n) 0;
}
