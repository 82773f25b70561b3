using System.Text.Json;
using Xunit;

namespace Broker.Tests.Protocol.Admin.Contract;

/// <summary>Which members a JSON object has, and of which types.</summary>
internal static class Shape
{
    /// <summary>Checks that an object has these members and no others.</summary>
    /// <param name="members">`name:type`, separated by spaces; a `?` behind the name lets it be absent. Types are `string`, `int`, `number`, `bool`, `array`, `object` and `time`, the text of a local time.</param>
    public static void Check(string members, JsonElement value)
    {
        Assert.Equal(JsonValueKind.Object, value.ValueKind);
        var expected = members.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split(':')).ToDictionary(one => one[0].TrimEnd('?'), one => (Type: one[1], IsOptional: one[0].EndsWith('?')));
        foreach (var (name, (type, isOptional)) in expected)
        {
            if (!value.TryGetProperty(name, out var member)) Assert.True(isOptional, $"'{name}' is missing in {value}");
            else Assert.True(Is(type, member), $"'{name}' is no {type} in {value}");
        }

        var unknown = value.EnumerateObject().Select(member => member.Name).Where(name => !expected.ContainsKey(name)).ToArray();
        Assert.True(unknown.Length == 0, $"{string.Join(", ", unknown)} too much in {value}");
    }

    /// <summary>Checks the answer to a list that comes in pages.</summary>
    /// <param name="count">-1 with a filter.</param>
    /// <param name="hasNext">Null where `meta` has no such member.</param>
    public static void CheckMeta(JsonElement answer, int page, int limit, int count, bool? hasNext)
    {
        var meta = answer.GetProperty("meta");
        Check(hasNext is null ? "page:int limit:int count:int" : "page:int limit:int count:int hasnext:bool", meta);
        Assert.Equal((page, limit, count), (meta.GetProperty("page").GetInt32(), meta.GetProperty("limit").GetInt32(), meta.GetProperty("count").GetInt32()));
        if (hasNext is { } more) Assert.Equal(more, meta.GetProperty("hasnext").GetBoolean());
    }

    private static bool Is(string type, JsonElement value) => type switch
    {
        "string" => value.ValueKind == JsonValueKind.String,
        "int" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        "time" => value.ValueKind == JsonValueKind.String && DateTime.TryParseExact(value.GetString(), "yyyy-MM-dd HH:mm:ss", null, default, out _),
        _ => throw new ArgumentException(type),
    };
}
