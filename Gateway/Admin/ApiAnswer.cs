using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin;

/// <summary>An answer of the HTTP API in EMQ X 4.x's envelope: `{"code":0,"data":…,"meta":…}`, or `{"code":…,"message":…}`.</summary>
/// <param name="Status">The HTTP status, which is 200 for most faults too.</param>
/// <param name="Members">Writes the members of the object.</param>
internal sealed record ApiAnswer(int Status, Action<Utf8JsonWriter> Members)
{
    /// <summary>Done, and there is nothing to say.</summary>
    public static ApiAnswer Done { get; } = new(200, json => json.WriteNumber("code", 0)) { Code = 0 };

    /// <summary>There is no such thing to talk to: the text that EMQ X answers unknown paths and nodes with.</summary>
    public static ApiAnswer NotFound { get; } = Plain(404, "Not found.");

    /// <summary>A process of the cluster has not answered in time.</summary>
    public static ApiAnswer Unanswered { get; } = Fault(ResultCode.NodeFailed, "the node does not answer");

    /// <summary>Instead of JSON, text.</summary>
    public string? Text { get; private init; }

    /// <summary>The type of that.</summary>
    public string Type { get; init; } = "text/plain";

    /// <summary>The code, as the audit log has it; null where the answer has none.</summary>
    public int? Code { get; private init; }

    /// <summary>Why it was refused; null if it was not.</summary>
    public string? Reason { get; private init; }

    public static ApiAnswer Plain(int status, string text) => new(status, _ => { }) { Text = text, Reason = status >= 400 ? text : null };

    /// <summary>Instead of JSON, a file, which is disposed of when it is sent.</summary>
    public Stream? File { get; private init; }

    /// <summary>A file to be saved.</summary>
    public static ApiAnswer Download(Stream file, string type, string name) => new(200, _ => { }) { File = file, Type = type, FileName = name };

    /// <summary>The name to save that under.</summary>
    public string? FileName { get; private init; }

    /// <summary>Refused with a code that is a word, as EMQ X 4.4 does in some places.</summary>
    public static ApiAnswer Fault(string code, string message) => new(200, json =>
    {
        json.WriteString("code", code);
        json.WriteString("message", message);
    })
    { Reason = message };

    /// <summary>Refused, with a code of <see cref="ResultCode"/>.</summary>
    public static ApiAnswer Fault(ResultCode code, string message) => new(200, json =>
    {
        json.WriteNumber("code", (int)code);
        json.WriteString("message", message);
    })
    { Code = (int)code, Reason = message };

    /// <summary>Refused without a code, as EMQ X does in some places.</summary>
    public static ApiAnswer Fault(string message) => new(200, json => json.WriteString("message", message)) { Reason = message };

    public static ApiAnswer Data(Action<Utf8JsonWriter> write) => new(200, json =>
    {
        json.WriteNumber("code", 0);
        json.WritePropertyName("data");
        write(json);
    })
    { Code = 0 };

    /// <summary>The same, of nodes of which some have not answered.</summary>
    public static ApiAnswer Data(Action<Utf8JsonWriter> write, string[] unavailable) => new(200, json =>
    {
        json.WriteNumber("code", 0);
        json.WritePropertyName("data");
        write(json);
        WriteMeta(json, unavailable);
    })
    { Code = 0 };

    public static ApiAnswer Data<T>(T value, JsonTypeInfo<T> type) => Data(json => JsonSerializer.Serialize(json, value, type));

    /// <summary>An array of things that are JSON already.</summary>
    public static ApiAnswer Rows(IEnumerable<byte[]> rows, string[]? unavailable = null) => new(200, json =>
    {
        json.WriteNumber("code", 0);
        WriteRows(json, rows);
        WriteMeta(json, unavailable ?? []);
    });

    /// <summary>An object for each node: its name, and all its rows under a name.</summary>
    public static ApiAnswer ByNode(NodeAnswers answers, string member) => ByNode(answers, member, (json, page) =>
    {
        json.WriteStartArray();
        foreach (var row in page.Rows) json.WriteRow(row);
        json.WriteEndArray();
    });

    /// <summary>An object for each node: its name, and what it has under a name.</summary>
    public static ApiAnswer ByNode(NodeAnswers answers, string member, Action<Utf8JsonWriter, NodePage> write) => new(200, json =>
    {
        json.WriteNumber("code", 0);
        json.WriteStartArray("data");
        foreach (var page in answers.Pages)
        {
            json.WriteStartObject();
            json.WriteString("node", page.Node);
            json.WritePropertyName(member);
            write(json, page);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteMeta(json, answers.Unavailable);
    });

    /// <summary>What was found in the cluster, or on the one node that was asked for.</summary>
    /// <param name="page">Null if there is no such node.</param>
    /// <param name="node">Its name; null for the whole cluster.</param>
    public static ApiAnswer Found(ClusterPage? page, string? node) =>
        page is null ? NotFound : node is not null && page.Unavailable.Length > 0 ? Unanswered : Rows(page.Rows, page.Unavailable);

    /// <summary>The same as a page.</summary>
    public static ApiAnswer Found(ClusterPage? page, string? node, Paging paging) =>
        page is null ? NotFound : node is not null && page.Unavailable.Length > 0 ? Unanswered : Page(page, paging, tellsMore: true);

    /// <summary>A page of things that are JSON already.</summary>
    /// <param name="tellsMore">Whether `meta` has `hasnext`.</param>
    public static ApiAnswer Page(ClusterPage page, Paging paging, bool tellsMore) => page.Fault is { } fault ? Fault(ResultCode.BadParameter, fault) : new(200, json =>
    {
        json.WriteNumber("code", 0);
        WriteRows(json, page.Rows);
        json.WriteStartObject("meta");
        json.WriteNumber("page", paging.Page);
        json.WriteNumber("limit", paging.Limit);
        json.WriteNumber("count", page.Count ?? -1);
        if (tellsMore) json.WriteBoolean("hasnext", page.HasMore);
        if (page.Unavailable.Length > 0) WriteUnavailable(json, page.Unavailable);
        json.WriteEndObject();
    });

    private static void WriteRows(Utf8JsonWriter json, IEnumerable<byte[]> rows)
    {
        json.WriteStartArray("data");
        foreach (var row in rows) json.WriteRow(row);
        json.WriteEndArray();
    }

    private static void WriteMeta(Utf8JsonWriter json, string[] unavailable)
    {
        if (unavailable.Length == 0) return;
        json.WriteStartObject("meta");
        WriteUnavailable(json, unavailable);
        json.WriteEndObject();
    }

    /// <summary>The answer lacks what some processes hold.</summary>
    private static void WriteUnavailable(Utf8JsonWriter json, string[] nodes)
    {
        json.WriteBoolean("partial", true);
        json.WriteStartArray("unavailable");
        foreach (var node in nodes) json.WriteStringValue(node);
        json.WriteEndArray();
    }
}

/// <summary>Codes of EMQ X 4.x's management API.</summary>
internal enum ResultCode
{
    Success = 0,
    NodeFailed = 101,
    Unknown = 102,
    MissingParameter = 107,
    BadParameter = 108,
    NotFound = 112,
    BadTopic = 115,
    BadQos = 116,
}
