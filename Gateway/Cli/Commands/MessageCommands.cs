using System.Text.Json;

namespace Broker.Gateway.Cli.Commands;

/// <summary>Messages: published, retained, delayed, counted.</summary>
internal static class MessageCommands
{
    /// <summary>What is read from standard input at most: no packet is larger.</summary>
    private const int MostPayload = 256 * 1024 * 1024;

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("publish <topic> [payload] [--qos:0|1|2] [--retain] [--clientid ID] [--base64]", "publishes a message", PublishAsync),
        CtlCommand.List("retainer info", "/mqtt/retainer", "", "how many messages are retained, and how many may be"),
        CtlCommand.Pages("retainer topics [filter]", "/mqtt/retainer/messages?_match_topic={filter}", "topic qos payload_bytes from_clientid expires_at", "topics with a retained message"),
        CtlCommand.Show("retainer show <topic>", "/mqtt/retainer/message/{topic}", "the retained message of a topic"),
        CtlCommand.Of("retainer clean [filter]", "removes the retained messages of a topic, of all that a filter matches, or all", CleanAsync),
        CtlCommand.Pages("delayed list", "/mqtt/delayed/messages", "", "messages that wait for their time"),
        CtlCommand.Show("delayed show <msgid>", "/mqtt/delayed/messages/{msgid}", "one of them"),
        CtlCommand.Delete("delayed delete <msgid>", "/mqtt/delayed/messages/{msgid}", "removes one of them"),
        CtlCommand.List("topic-metrics list", "/topic-metrics", "", "what went over the topics that are counted"),
        CtlCommand.Post("topic-metrics add <topic>", "/topic-metrics", "topic", "counts a topic"),
        CtlCommand.Delete("topic-metrics del <topic>", "/topic-metrics/{topic}", "counts it no more"),
        CtlCommand.List("slow-subs list", "/slow_subscriptions", "", "clients that take messages slowly"),
        CtlCommand.Delete("slow-subs clear", "/slow_subscriptions", "begins to look for them anew"),
    ];

    private static async Task PublishAsync(CtlCall call)
    {
        var (payload, encoding) = (call.Find("payload") ?? "", call.Find("base64") is null ? "plain" : "base64");
        if (payload == "-" && call.Find("base64") is null) (payload, encoding) = (Convert.ToBase64String(await ReadAsync(call)), "base64");
        var body = JsonText.Write(json =>
        {
            json.WriteStartObject();
            // A comma parts topics for the API; here it belongs to the topic, which is said by naming it so.
            json.WriteString("topic", call["topic"]);
            json.WriteString("payload", payload);
            json.WriteString("encoding", encoding);
            json.WriteNumber("qos", call.Number("qos") ?? 0);
            json.WriteBoolean("retain", call.Find("retain") is not null);
            if (call.Find("clientid") is { } clientId) json.WriteString("clientid", clientId);
            json.WriteEndObject();
        });
        call.Output.Done("ok", await call.Api.CallAsync("POST", "/mqtt/publish", body, call.Cancellation));
    }

    private static async Task<byte[]> ReadAsync(CtlCall call)
    {
        using var all = new MemoryStream();
        await using var input = call.Console.In();
        await input.CopyToAsync(all, call.Cancellation);
        return all.Length <= MostPayload ? all.ToArray() : throw CtlException.Usage("No payload is as large as that.");
    }

    private static async Task CleanAsync(CtlCall call)
    {
        var filter = call.Find("filter") ?? "#";
        var path = filter.AsSpan().ContainsAny('+', '#') ? $"/mqtt/retainer/messages?_match_topic={Uri.EscapeDataString(filter)}" : call.Expand("/mqtt/retainer/message/{filter}");
        var answer = await call.Api.CallAsync("DELETE", path, null, call.Cancellation);
        if (answer.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object) call.Output.Show(data);
        else call.Output.Done("ok", answer);
    }
}
