/* Two programs: one reads a byte of the packet without a look at where it ends, which the verifier rejects. */
#include "../../objects/include/bpf.h"
LICENSE;

SEC("xdp") int checked(struct xdp_md *ctx)
{
	u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	if (data + 1 > end)
		return 1;
	return data[0] == 4 ? 2 : 1;
}

SEC("xdp") int unchecked(struct xdp_md *ctx)
{
	u8 *data = (void *)(long)ctx->data;
	return data[0] == 4 ? 2 : 1;
}
