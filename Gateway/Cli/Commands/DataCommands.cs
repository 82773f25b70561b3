using System.Text.Json;
using System.Text.Json.Nodes;

namespace Broker.Gateway.Cli.Commands;

/// <summary>Export and import.</summary>
internal static class DataCommands
{
    private const string Columns = "filename size created_at node";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("data export [--output FILE]", "has the broker write all rules, users and settings to a file of its own, and may fetch it", ExportAsync),
        CtlCommand.Of("data import <filename> [--env JSON]", "takes in an exported file: one that is here, else one that the broker has", ImportAsync),
        CtlCommand.List("data list", "/data/export", Columns, "the files that the broker has"),
        CtlCommand.Of("data download <filename> [--output FILE]", "fetches a file from the broker", call => DownloadAsync(call, call["filename"], call.Find("output") ?? Path.GetFileName(call["filename"]))),
        CtlCommand.Of("data upload <path>", "gives the broker a file", UploadAsync),
        CtlCommand.Delete("data delete <filename>", "/data/file/{filename}", "removes a file of the broker's"),
    ];

    private static async Task ExportAsync(CtlCall call)
    {
        using var progress = new Progress(call.Console, "exporting");
        var answer = await call.Api.CallAsync("POST", "/data/export", null, call.Cancellation);
        progress.Stop();
        var data = answer.GetProperty("data");
        if (call.Find("output") is { } path) await DownloadAsync(call, data.GetProperty("filename").GetString()!, path);
        else call.Output.Show(data);
    }

    private static async Task ImportAsync(CtlCall call)
    {
        var name = call["filename"];
        var answer = default(JsonElement);
        if (File.Exists(name))
        {
            var text = AddMembers(await File.ReadAllTextAsync(name, call.Cancellation), call.Find("env"));
            using var progress = new Progress(call.Console, "importing");
            answer = await call.Api.CallAsync("POST", "/data/import", text, call.Cancellation);
        }
        else
        {
            if (call.Find("env") is not null) throw CtlException.Usage($"--env needs the file here: there is no {name}");
            using var progress = new Progress(call.Console, "importing");
            answer = await call.Api.CallAsync("POST", "/data/import", call.Write("filename"), call.Cancellation);
        }

        call.Output.Done("ok", answer);
    }

    /// <summary>Old exports do not say whether their users are known by name or by client identifier; `--env` does.</summary>
    private static string AddMembers(string document, string? members)
    {
        try
        {
            if (JsonNode.Parse(document) is not JsonObject all) throw CtlException.Usage("The file holds no exported document.");
            if (members is null) return document;
            if (JsonNode.Parse(members) is not JsonObject more) throw CtlException.Usage("--env must be a JSON object.");
            foreach (var (name, value) in more) all[name] = value?.DeepClone();
            return all.ToJsonString();
        }
        catch (JsonException fault)
        {
            throw CtlException.Usage($"That is no JSON: {fault.Message}");
        }
    }

    private static async Task DownloadAsync(CtlCall call, string name, string path)
    {
        using var progress = new Progress(call.Console, $"fetching {name}");
        // Alone in the API this answer has no envelope.
        var answer = JsonDocument.Parse(await call.Api.SendAsync("GET", $"/data/file/{Uri.EscapeDataString(name)}", null, call.Cancellation)).RootElement;
        progress.Stop();
        if (!answer.TryGetProperty("file", out var file)) throw CtlException.Refused(answer.TryGetProperty("message", out var message) ? message.ToString() : answer.ToString());
        if (path == "-") await call.Console.Out.WriteLineAsync(file.GetString());
        else await WriteAsync(call, path, System.Text.Encoding.UTF8.GetBytes(file.GetString()!));
    }

    /// <summary>Writes what was fetched, and says where it is.</summary>
    public static async Task WriteAsync(CtlCall call, string path, byte[] bytes)
    {
        await File.WriteAllBytesAsync(path, bytes, call.Cancellation);
        var told = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("path", path);
            json.WriteNumber("size", bytes.Length);
            json.WriteEndObject();
        });
        call.Output.Done($"{path}: {bytes.Length} bytes", JsonDocument.Parse(told).RootElement);
    }

    private static async Task UploadAsync(CtlCall call)
    {
        var path = call["path"];
        var text = await File.ReadAllTextAsync(path, call.Cancellation);
        var body = JsonText.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("filename", Path.GetFileName(path));
            json.WriteString("file", text);
            json.WriteEndObject();
        });
        using var progress = new Progress(call.Console, $"sending {text.Length} characters");
        call.Output.Done("ok", await call.Api.CallAsync("POST", "/data/file", body, call.Cancellation));
    }
}
