using System.Runtime.CompilerServices;
using System.Text.Json;
using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli;

/// <summary>Does the commands that are one call.</summary>
internal static class CallRunner
{
    /// <summary>Rows of a page: few enough that the first is shown at once.</summary>
    private const int PageRows = 1000;

    public static async Task RunAsync(CtlCommand command, CtlCall call)
    {
        if (command.OnEachNode && call.Find("node") is null) await RunOnEachNodeAsync(command, call);
        else if (command.IsPaged) await call.Output.ShowAsync(Shape(command), PagesAsync(call, call.Expand(command.Path)));
        else await RunOnceAsync(command, call, call.Expand(command.Path));
    }

    /// <summary>Reads page after page of a list, up to `--limit`.</summary>
    public static async IAsyncEnumerable<JsonElement> PagesAsync(CtlCall call, string path, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var left = call.Number("limit") ?? int.MaxValue;
        var rows = Math.Min(left, PageRows);
        for (var page = 1; left > 0; page++)
        {
            var answer = await call.Api.CallAsync("GET", $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}_page={page}&_limit={rows}", null, call.Cancellation);
            Warn(call, answer);
            if (!answer.TryGetProperty("data", out var data)) yield break;
            if (data.ValueKind != JsonValueKind.Array)
            {
                yield return data;
                yield break;
            }

            var count = data.GetArrayLength();
            yield return count <= left ? data : JsonSerializer.SerializeToElement(data.EnumerateArray().Take(left), CtlJson.Default.IEnumerableJsonElement);
            left -= count;
            if (!HasMore(answer, page, rows)) yield break;
        }
    }

    private static async Task RunOnceAsync(CtlCommand command, CtlCall call, string path)
    {
        var answer = await call.Api.CallAsync(command.Method, path, call.Write(command.Body), call.Cancellation);
        Warn(call, answer);
        if (!answer.TryGetProperty("data", out var data))
        {
            call.Output.Done("ok", answer);
        }
        else if (command.IsOne && IsEmpty(data))
        {
            throw CtlException.Refused("Not found.");
        }
        else if (data.ValueKind == JsonValueKind.Array || command.Rows.Length > 0)
        {
            // One thing among several of its kind, as several nodes may know a client.
            if (command.IsOne && data.ValueKind == JsonValueKind.Array && data.GetArrayLength() == 1 && command.Columns.Length == 0) call.Output.Show(data[0]);
            else await call.Output.ShowAsync(Shape(command), One(data));
        }
        else if (data.ValueKind == JsonValueKind.Object)
        {
            call.Output.Show(data);
        }
        else
        {
            call.Output.Done(data.ToString(), answer);
        }
    }

    private static async Task RunOnEachNodeAsync(CtlCommand command, CtlCall call)
    {
        var nodes = JsonRows.Of(await call.Api.ReadAsync("/nodes", call.Cancellation), "").Where(row => row["node_status"] != "Stopped").Select(row => row["node"]);
        JsonElement answer = default;
        foreach (var node in nodes)
        {
            answer = await call.Api.CallAsync(command.Method, call.Expand(command.Path.Replace("{node}", Uri.EscapeDataString(node), StringComparison.Ordinal)), call.Write(command.Body), call.Cancellation);
        }

        call.Output.Done("ok", answer);
    }

    public static RowShape Shape(CtlCommand command) => new(command.Columns.Split(' ', StringSplitOptions.RemoveEmptyEntries), command.Rows);

    public static async IAsyncEnumerable<JsonElement> One(JsonElement data)
    {
        await Task.CompletedTask;
        yield return data;
    }

    private static bool IsEmpty(JsonElement data) => data.ValueKind switch
    {
        JsonValueKind.Array => data.GetArrayLength() == 0,
        JsonValueKind.Object => !data.EnumerateObject().Any(),
        _ => false,
    };

    /// <summary>`hasnext` says it where there is one, else the number of all.</summary>
    private static bool HasMore(JsonElement answer, int page, int rows) => answer.TryGetProperty("meta", out var meta)
        && (meta.TryGetProperty("hasnext", out var next) ? next.ValueKind == JsonValueKind.True : meta.TryGetProperty("count", out var count) && count.TryGetInt64(out var all) && (long)page * rows < all);

    /// <summary>A node that has not answered costs a list its part: that must not pass unseen.</summary>
    private static void Warn(CtlCall call, JsonElement answer)
    {
        if (answer.TryGetProperty("meta", out var meta) && meta.TryGetProperty("unavailable", out var nodes) && nodes.ValueKind == JsonValueKind.Array)
        {
            foreach (var node in nodes.EnumerateArray()) call.Console.Error.WriteLine($"{JsonRows.Harmless(node.ToString())} has not answered: what it holds is missing");
        }
    }
}
