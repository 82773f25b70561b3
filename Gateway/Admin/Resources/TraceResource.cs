using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Broker.Gateway.Records;
using Broker.Gateway.Tracing;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Records;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/trace`: what picked-out clients and topics do, written to files on all nodes, as EMQ X 4.4 has it.</summary>
internal sealed partial class TraceResource(TraceTable table, RecordFeed records, ClusterNodes nodes, TraceDownload download, NodeIdentity self, TimeProvider time) : IApiResource
{
    private const int UsualSeconds = 10 * 60;
    private const int UsualBytes = 1000;

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/trace", "list_trace", "The traces", _ => ListAsync()),
        new("POST", "/trace", "create_trace", "Trace a client, a topic or an address to files", AddAsync) { Members = ["name!", "type!", "clientid", "topic", "ip_address", "start_at", "end_at"] },
        new("DELETE", "/trace", "clear_trace", "Remove all traces and their files", _ => ClearAsync()) { Sweeps = true },
        new("DELETE", "/trace/{name}", "delete_trace", "Remove a trace and its files", RemoveAsync),
        new("PUT", "/trace/{name}/stop", "stop_trace", "End a trace and keep its files", StopAsync),
        new("GET", "/trace/{name}/download", "download_zip_log", "A trace's files of all nodes, or of one", DownloadAsync) { Filters = ["node"] },
        new("GET", "/trace/{name}/log", "stream_log_file", "A piece of one node's file", ReadAsync) { Filters = ["node", "position", "bytes"] },
    ];

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_-]{0,255}\z")]
    private static partial Regex Name();

    private async Task<ApiAnswer> ListAsync()
    {
        var answers = await nodes.ReadAllAsync(LocalTraces.Sizes);
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var sizes = Array.ConvertAll(answers.Pages, page => (page.Node, Json: JsonDocument.Parse(page.Rows[0])));
        try
        {
            byte[][] rows =
            [
                .. table.All.OrderByDescending(entry => entry.Value.StartAt).ThenBy(entry => entry.Key, StringComparer.Ordinal)
                    .Select(entry => NodePages.Write("", json => Write(json, entry.Key, entry.Value, now, sizes)).Rows[0]),
            ];
            return ApiAnswer.Rows(rows, answers.Unavailable);
        }
        finally
        {
            foreach (var (_, json) in sizes) json.Dispose();
        }
    }

    private static void Write(Utf8JsonWriter json, string name, Trace trace, long now, (string Node, JsonDocument Json)[] nodes)
    {
        json.WriteString("name", name);
        json.WriteString("type", Word(trace.Kind));
        json.WriteString(Word(trace.Kind), trace.Filter);
        json.WriteString("start_at", Format(trace.StartAt));
        json.WriteString("end_at", Format(trace.EndAt));
        json.WriteString("status", JsonNamingPolicy.SnakeCaseLower.ConvertName(trace.StatusAt(now).ToString()));
        WriteNumbers("log_size", "size");
        WriteNumbers("lines_dropped", "dropped");

        void WriteNumbers(string member, string what)
        {
            json.WriteStartObject(member);
            foreach (var (node, all) in nodes) json.WriteNumber(node, all.RootElement.TryGetProperty(name, out var one) ? one.GetProperty(what).GetInt64() : 0);
            json.WriteEndObject();
        }
    }

    private async Task<ApiAnswer> AddAsync(ApiCall call)
    {
        if (call.Find("name") is not { } name || !Name().IsMatch(name)) return Incorrect("name must begin with a letter or digit, and hold up to 256 letters, digits, _ and -");
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        if (!TryReadTime(call, "start_at", now, out var start) || !TryReadTime(call, "end_at", Math.Max(start, now) + UsualSeconds, out var end)) return Incorrect("start_at and end_at are RFC 3339 or Unix seconds");
        start = Math.Max(start, now);
        if (end <= start) return Incorrect("end_at must be later than start_at, and than now");
        if (Read(call) is not (var kind, { } filter)) return Incorrect("type must be clientid, topic or ip_address, and what it names must be one");
        var trace = new Trace(kind, filter, start, end, RandomNumberGenerator.GetHexString(16, lowercase: true));
        // A trace of the same name may be gone by now, and is kept as it is if it is not.
        if (table.Find(name) is not null) return ApiAnswer.Fault("ALREADY_EXISTED", "already_existed");
        if (table.All.FirstOrDefault(entry => Overlaps(entry.Value, trace, now)) is { } other) return ApiAnswer.Fault("DUPLICATE_CONDITION", $"already_existed: {other.Key}");
        if (table.Count >= TraceTable.MaxTraces) return Incorrect($"there are {TraceTable.MaxTraces} traces already: remove some first");
        var outcomes = await records.WriteAsync(table.Put(name, trace, RecordCondition.IfAbsent));
        return outcomes[0] == RecordOutcome.Exists ? ApiAnswer.Fault("ALREADY_EXISTED", "already_existed") : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> StopAsync(ApiCall call)
    {
        var name = call.Path("name");
        if (table.Find(name)?.Value is not { } trace) return Missing(name);
        var outcomes = await records.WriteAsync(table.Put(name, trace with { IsStopped = true }, RecordCondition.IfPresent));
        return outcomes[0] == RecordOutcome.Missing ? Missing(name) : ApiAnswer.Data(json =>
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteBoolean("enable", false);
            json.WriteEndObject();
        });
    }

    private async Task<ApiAnswer> RemoveAsync(ApiCall call)
    {
        var name = call.Path("name");
        return (await records.WriteAsync(table.Delete(name)))[0] == RecordOutcome.Missing ? Missing(name) : ApiAnswer.Done;
    }

    private async Task<ApiAnswer> ClearAsync()
    {
        if (table.All.Select(entry => table.Delete(entry.Key)).ToArray() is { Length: > 0 } all) await records.WriteAsync(all);
        return ApiAnswer.Done;
    }

    private async Task<ApiAnswer> DownloadAsync(ApiCall call)
    {
        var name = call.Path("name");
        if (table.Find(name) is null) return Missing(name);
        return await download.MakeAsync(name, call.Find("node")) is { } zip ? ApiAnswer.Download(zip, "application/zip", $"{name}.zip") : ApiAnswer.Unanswered;
    }

    private async Task<ApiAnswer> ReadAsync(ApiCall call)
    {
        var name = call.Path("name");
        if (table.Find(name) is null) return Missing(name);
        var (position, bytes) = (Number(call, "position", 0), Number(call, "bytes", UsualBytes));
        var (page, isKnown) = await nodes.ReadOneAsync(call.Find("node") ?? self.Name, LocalTraces.Piece(name, position, (int)Math.Clamp(bytes, 4, LocalTraces.MaxPiece)));
        if (page is null) return isKnown ? ApiAnswer.Unanswered : ApiAnswer.Fault("NODE_NOT_FOUND", "node not found");
        if (page.Fault is not null) return Missing(name);
        var piece = LocalTraces.BytesOf(page);
        var whole = WholeCharacters(piece);
        return new ApiAnswer(200, json =>
        {
            json.WriteNumber("code", 0);
            json.WriteStartObject("meta");
            json.WriteNumber("position", position + whole);
            json.WriteNumber("bytes", bytes);
            json.WriteEndObject();
            json.WriteStartObject("data");
            json.WriteString("items", Encoding.UTF8.GetString(piece.AsSpan(0, whole)));
            json.WriteEndObject();
        });
    }

    /// <summary>How many bytes to take so that the last character is whole: the next piece has the rest.</summary>
    private static int WholeCharacters(byte[] utf8)
    {
        var last = utf8.Length - 1;
        while (last > 0 && utf8.Length - last < 4 && (utf8[last] & 0xC0) == 0x80) last--;
        if (last < 0) return 0;
        var length = utf8[last] switch { < 0x80 => 1, >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return last + length <= utf8.Length ? utf8.Length : last;
    }

    private static bool Overlaps(Trace one, Trace other, long now) =>
        one.Kind == other.Kind && one.Filter == other.Filter && one.StatusAt(now) != TraceStatus.Stopped && one.StartAt < other.EndAt && other.StartAt < one.EndAt;

    /// <returns>Null for the filter if it is none.</returns>
    private static (TraceKind Kind, string? Filter) Read(ApiCall call) => call.Find("type") switch
    {
        "clientid" => (TraceKind.ClientId, call.Find("clientid") is { Length: > 0 } id ? id : null),
        "topic" => (TraceKind.Topic, TopicFilter.TryParse(call.Find("topic"), out var filter) && !filter.IsGrouped ? filter.Text : null),
        "ip_address" => (TraceKind.IpAddress, IPAddress.TryParse(call.Find("ip_address"), out var address) ? TraceText.Plain(address).ToString() : null),
        _ => (default, null),
    };

    /// <param name="seconds">Unix seconds.</param>
    private static bool TryReadTime(ApiCall call, string name, long usual, out long seconds)
    {
        seconds = usual;
        if (call.Find(name) is not { Length: > 0 } text) return true;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds)) return seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds();
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var read)) return false;
        seconds = read.ToUnixTimeSeconds();
        return true;
    }

    /// <exception cref="ApiException">It is no number.</exception>
    private static long Number(ApiCall call, string name, long usual) => call.Find(name) is not { } text ? usual
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new ApiException(ResultCode.BadParameter, $"{name} must be a number");

    private static string Word(TraceKind kind) => kind switch { TraceKind.ClientId => "clientid", TraceKind.Topic => "topic", _ => "ip_address" };

    private static string Format(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture);

    private static ApiAnswer Incorrect(string message) => ApiAnswer.Fault("INCORRECT_PARAMS", message);

    private static ApiAnswer Missing(string name) => ApiAnswer.Fault("NOT_FOUND", $"{name} NOT FOUND");
}
