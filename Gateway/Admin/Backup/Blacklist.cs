using System.Net;
using System.Text.Json;
using Broker.Gateway.Admin.Resources;
using Broker.Gateway.Security.Bans;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>`blacklist`: bans. Those of networks are not in it: EMQ X has none.</summary>
internal sealed class Blacklist(BanTable table, TimeProvider time) : IDocumentMember
{
    private static readonly BanKind[] Kinds = Enum.GetValues<BanKind>();

    public IReadOnlyList<string> Names => ["blacklist"];

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var ban in table.All.OrderBy(entry => entry.Version).Select(entry => entry.Value).Where(ban => ban.Kind != BanKind.Address || IPAddress.TryParse(ban.Who, out _)))
        {
            json.WriteStartObject();
            json.WriteStartObject("who");
            json.WriteString(Banned.NameOf(ban.Kind), ban.Who);
            json.WriteEndObject();
            json.WriteString("by", ban.By);
            json.WriteString("reason", ban.Reason);
            json.WriteNumber("at", ban.At.ToUnixTimeSeconds());
            json.WriteNumber("until", ban.Until.ToUnixTimeSeconds());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public IEnumerable<RecordChange> Read(JsonElement document, ImportSettings settings)
    {
        foreach (var row in DocumentRow.Of(document, Names[0]))
        {
            var who = row.Value.TryGetProperty("who", out var subject) && subject.ValueKind == JsonValueKind.Object ? subject : throw row.Wrong("'who' is missing or no object");
            var kind = Array.FindIndex(Kinds, one => who.OnlyText(Banned.NameOf(one)) is { Length: > 0 });
            if (kind < 0) throw row.Wrong("'who' is none of clientid, username, peerhost");
            var ban = new Ban(Kinds[kind], who.OnlyText(Banned.NameOf(Kinds[kind]))!, row.AnyText("by") ?? "user", row.AnyText("reason") ?? "", Time(row, "at"), Time(row, "until"));
            if (ban.Kind == BanKind.Address && !NetworkBans.TryParse(ban.Who, out _)) throw row.Wrong($"'{ban.Who}' is no address");
            if (ban.Until > time.GetUtcNow()) yield return table.Put(BanTable.KeyOf(ban.Kind, ban.Who), ban, expiresAt: ban.Until.ToUnixTimeMilliseconds());
        }
    }

    private static DateTimeOffset Time(DocumentRow row, string name) =>
        row.Number(name) is { } seconds && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.FromUnixTimeSeconds(seconds) : throw row.Wrong($"'{name}' is no time in Unix seconds");
}
