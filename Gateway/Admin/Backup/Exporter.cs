using System.Text.Json;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Records;

namespace Broker.Gateway.Admin.Backup;

/// <summary>Writes all that operators manage into a document: the records as they are, and beside them the members that EMQ X 4.x's tools read.</summary>
internal sealed class Exporter(IGrainFactory grains, IEnumerable<IDocumentMember> members, TimeProvider time)
{
    /// <summary>Of EMQ X, whose documents are like this.</summary>
    private const string Version = "4.3";

    private const int Some = 64 * 1024;

    /// <summary>What EMQ X looks for and is not there.</summary>
    private static readonly string[] Empty = ["rules", "resources"];

    /// <summary>Sends what has gathered on its way, if it is worth it.</summary>
    public static void FlushSome(Utf8JsonWriter json)
    {
        if (json.BytesPending > Some) json.Flush();
    }

    /// <summary>Writes the document.</summary>
    /// <exception cref="Exception">Of Orleans: the records cannot be read now.</exception>
    public async Task WriteAsync(Stream to)
    {
        var records = await ReadAsync();
        await using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        json.WriteString("version", Version);
        json.WriteString("date", LocalTime.Format(time.GetUtcNow(), time.LocalTimeZone));
        foreach (var none in Empty.Where(name => !members.Any(member => member.Names[0] == name)))
        {
            json.WriteStartArray(none);
            json.WriteEndArray();
        }

        foreach (var member in members)
        {
            json.WritePropertyName(member.Names[0]);
            member.Write(json);
        }

        json.WriteStartArray(RecordsMember.Name);
        foreach (var record in records)
        {
            RecordsMember.Write(json, record);
            FlushSome(json);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync();
    }

    /// <summary>All records, in the order in which they were changed last: read back in that order, the newest rule is asked first again.</summary>
    private async Task<IEnumerable<Record>> ReadAsync()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var found = new Dictionary<(string Table, string Key), Record>();
        for (var (position, isLast) = (default(RecordPosition), false); !isLast;)
        {
            var from = position;
            var page = await GrainCalls.InsistAsync(() => grains.GetGrain<IRecordsGrain>(0).Read(from), time);
            if (page.IsRestart) found.Clear();
            foreach (var record in page.Records)
            {
                if (record.Value is null || (record.ExpiresAt != 0 && record.ExpiresAt <= now)) found.Remove((record.Table, record.Key));
                else found[(record.Table, record.Key)] = record; // one that was changed meanwhile comes again
            }

            (position, isLast) = (page.Next, page.IsLast);
        }

        return found.Values.OrderBy(record => record.Version);
    }
}
