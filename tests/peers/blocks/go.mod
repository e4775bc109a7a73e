module maestro/tests/peers/blocks

go 1.22
