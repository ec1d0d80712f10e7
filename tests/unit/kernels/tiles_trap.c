/* Tile instructions by a handler of SIGILL. stand_in_amx.c tests the template over emulated tiles;
 * this tests what the compiler made of it: the encodings, the configuration as it lies in memory
 * when it is loaded (gcc is known to drop those stores), the order of stores and tile loads.
 *
 * A processor without AMX raises an invalid opcode at each tile instruction. The handler decodes it
 * (Intel's manual, volume 2, "Instruction format" and the pages of the seven instructions), does it
 * on emulated tiles, and goes on behind it. The handler is code for any x86-64: the interrupted
 * code's vectors are saved and restored by the kernel. Anything but a tile instruction is left to
 * the default action, the process's end. Tests run on one thread, so there is one set of tiles. */
#include "kernels/tiles_trap.h"

#include <cpuid.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernels/tiles_emulated.h"

/* By the numbers that instructions give registers. */
static const int registers[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15 };

/* VEX prefixes of the map 0F38, without what the bits say. */
enum { PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2 };
enum { CONFIGURE_OR_ZERO = 0x49, LOAD_OR_STORE = 0x4B, DOT = 0x5E };

struct instruction {
    int prefix, opcode;
    int reg, rm, other; /* ModRM.reg, ModRM.rm where it is a register, VEX.vvvv */
    bool memory;
    uintptr_t address;
    long stride; /* the index register times its scale */
    size_t length;
};

static int32_t read_i32(const unsigned char *at)
{
    int32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* The memory operand behind ModRM, which is at code[4]. */
static void decode_memory(const unsigned char *code, const greg_t *values, struct instruction *out)
{
    const int mode = code[4] >> 6, rm = code[4] & 7;
    const int base_high = code[1] & 0x20 ? 0 : 8, index_high = code[1] & 0x40 ? 0 : 8;
    int base = rm + base_high;

    out->memory = true;
    out->length = 5;
    if (rm == 4) {
        const int sib = code[5], index = (sib >> 3 & 7) + index_high;

        base = (sib & 7) + base_high;
        if (index != 4)
            out->stride = (long)values[registers[index]] << (sib >> 6);
        out->length++;
    }
    tile_demand(mode != 0 || (base & 7) != 5, "no address without a base is expected");
    out->address = (uintptr_t)values[registers[base]];
    if (mode == 1)
        out->address += (uintptr_t)(intptr_t)(int8_t)code[out->length++];
    if (mode == 2) {
        out->address += (uintptr_t)(intptr_t)read_i32(code + out->length);
        out->length += 4;
    }
}

/* False where it is no tile instruction. */
static bool decode(const unsigned char *code, const greg_t *values, struct instruction *out)
{
    *out = (struct instruction){ 0 };
    if (code[0] != 0xC4 || (code[1] & 0x1F) != 2 || (code[2] & 0x84) != 0)
        return false;
    out->prefix = code[2] & 3;
    out->other = ~(code[2] >> 3) & 15;
    out->opcode = code[3];
    out->reg = code[4] >> 3 & 7;
    out->rm = code[4] & 7;
    out->length = 5;
    if (code[4] >> 6 != 3)
        decode_memory(code, values, out);
    return out->opcode == CONFIGURE_OR_ZERO || out->opcode == LOAD_OR_STORE || out->opcode == DOT;
}

static bool perform(const struct instruction *in)
{
    if (in->opcode == CONFIGURE_OR_ZERO && in->memory && in->prefix == PREFIX_NONE)
        tiles_configure((const struct tile_shapes *)in->address);
    else if (in->opcode == CONFIGURE_OR_ZERO && !in->memory && in->prefix == PREFIX_NONE)
        tiles_release();
    else if (in->opcode == CONFIGURE_OR_ZERO && !in->memory && in->prefix == PREFIX_F2)
        tile_zero(in->reg);
    else if (in->opcode == LOAD_OR_STORE && in->memory && in->prefix == PREFIX_F2)
        tile_load(in->reg, (const void *)in->address, in->stride);
    else if (in->opcode == LOAD_OR_STORE && in->memory && in->prefix == PREFIX_F3)
        tile_store(in->reg, (void *)in->address, in->stride);
    else if (in->opcode == DOT && !in->memory && in->prefix == PREFIX_F2)
        tile_dot(in->reg, in->rm, in->other);
    else
        return false;
    return true;
}

static void on_invalid_opcode(int number, siginfo_t *info, void *context)
{
    greg_t *values = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct instruction instruction;

    (void)info;
    if (decode((const unsigned char *)values[REG_RIP], values, &instruction) &&
        perform(&instruction))
        values[REG_RIP] += (greg_t)instruction.length;
    else
        signal(number, SIG_DFL); /* it is met again, and ends the process */
}

static bool has_tiles(void)
{
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 3) == 3 &&
           syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

bool tiles_trap_install(void)
{
    struct sigaction action = { .sa_sigaction = on_invalid_opcode, .sa_flags = SA_SIGINFO };

    return has_tiles() || sigaction(SIGILL, &action, NULL) == 0;
}
