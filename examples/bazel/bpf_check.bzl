"""A test that fails where a kernel rejects a BPF object, or where one grew beyond its budget.

    load("//:bpf_check.bzl", "bpf_check_test")
    bpf_check_test(name = "bpf", objects = [":prog.bpf.o"], budget = "bpf-budget.json")

`bpf_jitd` is the package's binary, as rules_js offers it: npm_link_all_packages(), then
    load("@npm//:bpf-jitd/package_json.bzl", bpf_jitd = "bin")
    bpf_jitd.bpf_jitd_binary(name = "bpf-jitd")
"""

def _impl(ctx):
    arguments = ["check", "--budget", ctx.file.budget.short_path]
    for kernel in ctx.attr.kernels:
        arguments += ["--kernel", kernel]
    arguments += [object.short_path for object in ctx.files.objects]
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(
        output = script,
        is_executable = True,
        content = "#!/usr/bin/env bash\nexec {} {}\n".format(
            ctx.executable.bpf_jitd.short_path,
            " ".join(["'%s'" % argument for argument in arguments]),
        ),
    )
    runfiles = ctx.runfiles(files = ctx.files.objects + [ctx.file.budget])
    runfiles = runfiles.merge(ctx.attr.bpf_jitd[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

bpf_check_test = rule(
    implementation = _impl,
    test = True,
    attrs = {
        "objects": attr.label_list(allow_files = [".o"], mandatory = True),
        "budget": attr.label(allow_single_file = [".json"], mandatory = True),
        "kernels": attr.string_list(default = ["linux-6.12-arm64"]),
        "bpf_jitd": attr.label(default = "//:bpf-jitd", executable = True, cfg = "exec"),
    },
)
