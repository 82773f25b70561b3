using System.Text.Json;
using Broker.Gateway.Cli.Output;

namespace Broker.Gateway.Cli.Commands;

/// <summary>How much all nodes log, changed while they run. Levels by EMQ X's names.</summary>
internal static class LogCommands
{
    private const string Levels = "debug|info|notice|warning|error|critical|alert|emergency|none";
    private const string Section = "Logging:LogLevel:";

    public static IEnumerable<CtlCommand> All =>
    [
        CtlCommand.Of("log list", "how much is logged, by category", ListAsync),
        CtlCommand.Of($"log primary-level [level:{Levels}]", "shows or sets how much is logged of categories without a level of their own", PrimaryAsync),
        CtlCommand.Of($"log set-level <level:{Levels}> [--category NAME]", "sets how much is logged, of one category or of those without a level of their own", call => SetAsync(call, call.Find("category") ?? "Default")),
        CtlCommand.Of("log unset-level [--category NAME]", "takes back what was set", call => ConfigurationCommands.PutAsync(call, KeyOf(call.Find("category") ?? "Default"), null)),
    ];

    private static async Task ListAsync(CtlCall call) => await call.Output.ShowAsync(new RowShape(["category", "level", "source"], ""), CallRunner.One(await ReadAsync(call)));

    private static async Task PrimaryAsync(CtlCall call)
    {
        if (call.Find("level") is not null)
        {
            await SetAsync(call, "Default");
            return;
        }

        var primary = (await ReadAsync(call)).EnumerateArray().FirstOrDefault(one => one.GetProperty("category").ValueEquals("Default"));
        if (primary.ValueKind == JsonValueKind.Undefined) throw CtlException.Refused("No level is set.");
        call.Output.Done(primary.GetProperty("level").GetString()!, primary);
    }

    private static Task SetAsync(CtlCall call, string category) => ConfigurationCommands.PutAsync(call, KeyOf(category), call["level"] switch
    {
        "info" or "notice" => "Information",
        "critical" or "alert" or "emergency" => "Critical",
        var level => char.ToUpperInvariant(level[0]) + level[1..],
    });

    private static string KeyOf(string category) => Section + category;

    private static async Task<JsonElement> ReadAsync(CtlCall call)
    {
        var data = await call.Api.ReadAsync("/v5/configuration?section=Logging", call.Cancellation);
        using var rows = JsonDocument.Parse(JsonText.Write(json =>
        {
            json.WriteStartArray();
            foreach (var setting in data.GetProperty("settings").EnumerateArray())
            {
                json.WriteStartObject();
                json.WriteString("category", setting.GetProperty("key").GetString()![Section.Length..]);
                json.WriteString("level", setting.GetProperty("value").GetString());
                json.WriteString("source", setting.GetProperty("source").GetString());
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }));
        return rows.RootElement.Clone();
    }
}
