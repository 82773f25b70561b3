using System.Text.Json;

namespace Broker.Gateway.Alarms;

/// <summary>Writes alarms as EMQ X 4.x does.</summary>
internal static class AlarmJson
{
    /// <summary>The members of 4.2 and later.</summary>
    /// <param name="nowUs">Tells for how long it is, or was, active; null leaves that out, as messages do.</param>
    public static void Write(Utf8JsonWriter json, Alarm alarm, long? nowUs)
    {
        json.WriteString("name", alarm.Name);
        json.WriteString("message", alarm.Message);
        json.WritePropertyName("details");
        alarm.Details.WriteTo(json);
        json.WriteNumber("activate_at", alarm.ActivatedAt);
        if (alarm.DeactivatedAt is { } end) json.WriteNumber("deactivate_at", end);
        else json.WriteString("deactivate_at", "infinity");
        json.WriteBoolean("activated", alarm.DeactivatedAt is null);
        if (nowUs is { } now) json.WriteNumber("duration", Math.Max(0, (alarm.DeactivatedAt ?? now) - alarm.ActivatedAt));
    }

    /// <summary>The members of 4.0 and 4.1.</summary>
    public static void WriteOld(Utf8JsonWriter json, Alarm alarm)
    {
        json.WriteString("id", alarm.Name);
        json.WriteStartObject("desc");
        json.WriteString("severity", "warning");
        json.WriteString("title", alarm.Name);
        json.WriteString("summary", alarm.Message);
        json.WriteNumber("timestamp", alarm.ActivatedAt / 1_000_000);
        json.WriteEndObject();
        if (alarm.DeactivatedAt is { } end) json.WriteNumber("clear_at", end / 1_000_000);
    }

    /// <summary>An object of its own.</summary>
    public static byte[] Serialize(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
