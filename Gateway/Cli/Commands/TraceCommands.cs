using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli.Commands;

/// <summary>What is recorded of a client, a topic or an address.</summary>
internal static class TraceCommands
{
    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.List("trace list", "/trace", "", "the traces"),
        CtlCommand.Of("trace start <kind:client|topic|ip_address> <value> <trace> [--start-at TIME] [--end-at TIME]", "begins to record, under a name", StartAsync),
        CtlCommand.Of("trace stop <trace> [value]", "ends a trace: by its name, or by client, topic or ip_address and whose it is", StopAsync),
        CtlCommand.Delete("trace delete <trace>", "/trace/{trace}", "removes a trace and what it has recorded"),
        CtlCommand.Of("trace download <trace> [--output FILE]", "fetches what was recorded, a ZIP archive", DownloadAsync),
    ];

    private static async Task StartAsync(CtlCall call)
    {
        var kind = KindOf(call["kind"]);
        var body = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("name", call["trace"]);
            json.WriteString("type", kind);
            json.WriteString(kind, call["value"]);
            if (call.Find("start-at") is { } start) json.WriteString("start_at", start);
            if (call.Find("end-at") is { } end) json.WriteString("end_at", end);
            json.WriteEndObject();
        });
        call.Output.Done("ok", await call.Api.CallAsync("POST", "/trace", body, call.Cancellation));
    }

    private static async Task StopAsync(CtlCall call)
    {
        var names = call.Find("value") is not { } value ? [call["trace"]] : await FindAsync(call, KindOf(call["trace"]), value);
        if (names.Length == 0) throw CtlException.Refused("Not found.");
        foreach (var name in names) await call.Api.CallAsync("PUT", $"/trace/{Uri.EscapeDataString(name)}/stop", null, call.Cancellation);
        call.Output.Done("ok", default);
    }

    private static async Task<string[]> FindAsync(CtlCall call, string kind, string value) =>
        [.. JsonRows.Of(await call.Api.ReadAsync("/trace", call.Cancellation), "").Where(row => row["type"] == kind && row[kind] == value).Select(row => row["name"])];

    private static async Task DownloadAsync(CtlCall call)
    {
        using var progress = new Progress(call.Console, "fetching");
        var archive = await call.Api.SendAsync("GET", call.Expand("/trace/{trace}/download"), null, call.Cancellation);
        progress.Stop();
        // A fault comes with status 200 as well.
        if (archive is [(byte)'{', ..]) throw CtlException.Refused(System.Text.Encoding.UTF8.GetString(archive));
        await DataCommands.WriteAsync(call, call.Find("output") ?? $"{Path.GetFileName(call["trace"])}.zip", archive);
    }

    /// <summary>`emqx_ctl` says client where the API says clientid.</summary>
    private static string KindOf(string kind) => kind == "client" ? "clientid" : kind;
}
