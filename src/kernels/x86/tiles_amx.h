/* Tiles: the operations of AMX that matmul_tiles_tmpl.h is written in. A tile is a register of up
 * to 16 rows of 64 bytes. tests/unit/kernels/tiles_emulated.h has the same names in plain C, so
 * that the template is tested on processors that have no such unit.
 *
 * Not the compiler's intrinsics, for two reasons. gcc 12's tell the compiler of no memory that a
 * tile is loaded from, nor that the configuration is: stores that fill those are moved behind the
 * load, or dropped, and the first tile instruction then ends the process. Here every statement that
 * reads memory says so. And the numbers of tiles are written into the instructions, which a macro
 * can do without optimisation as well; hence macros, whose tile arguments are plain digits.
 *
 * A tile instruction faults until the process has asked for tiles (hardware/cpu.h does) and the
 * thread has loaded a configuration; tiles_release() ends the latter, and makes switches between
 * threads cheap again. */
#ifndef DEN_KERNELS_X86_TILES_AMX_H
#define DEN_KERNELS_X86_TILES_AMX_H

#include <stdint.h>

/* Rows and bytes of a row of each of the eight tiles, as LDTILECFG reads them. */
struct tile_shapes {
    uint8_t palette; /* 1 */
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};

_Static_assert(sizeof(struct tile_shapes) == 64, "a configuration is 64 bytes");

static inline void tiles_configure(const struct tile_shapes *shapes)
{
    __asm__ volatile("ldtilecfg %0" : : "m"(*shapes) : "memory");
}

static inline void tiles_release(void)
{
    __asm__ volatile("tilerelease" : : : "memory");
}

#define tile_zero(tile) __asm__ volatile("tilezero %%tmm" #tile : :)

/* From rows `stride` bytes apart. */
#define tile_load(tile, from, stride)                                                              \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile                                            \
                     :                                                                             \
                     : "r"((const void *)(from)), "r"((long)(stride))                              \
                     : "memory")

#define tile_store(tile, to, stride)                                                               \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)"                                        \
                     :                                                                             \
                     : "r"((void *)(to)), "r"((long)(stride))                                      \
                     : "memory")

/* sums[r][o] += sum over lines l and j of rows[r][4 l + j] * lines[l][4 o + j], all of them i8. */
#define tile_dot(sums, rows, lines)                                                                \
    __asm__ volatile("tdpbssd %%tmm" #lines ", %%tmm" #rows ", %%tmm" #sums : :)

#endif
