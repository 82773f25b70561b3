using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace Broker.Gateway.Configuration;

/// <summary>A part of the configuration that may change while the broker runs.</summary>
/// <param name="Name">Of the section: `Mqtt`.</param>
/// <param name="Type">The options it is bound to.</param>
/// <param name="Fixed">Keys of it that hold from start to end.</param>
internal sealed record SettingSection(string Name, Type Type, params string[] Fixed);

/// <summary>Keys of options, as their types have them: `Listeners:tls:Tls:Verify`.</summary>
internal static class SettingKey
{
    /// <summary>What is shown of a secret.</summary>
    public const string Hidden = "***";

    /// <summary>Whether a key is another one or below it.</summary>
    public static bool IsWithin(string key, string other) =>
        key.StartsWith(other, StringComparison.OrdinalIgnoreCase) && (key.Length == other.Length || key[other.Length] == ':');

    /// <summary>Whether a value is for nobody's eyes.</summary>
    /// <remarks>Headers of requests often say who asks.</remarks>
    public static bool IsSecret(string key) =>
        key.EndsWith("Password", StringComparison.OrdinalIgnoreCase) || key.EndsWith(":Secret", StringComparison.OrdinalIgnoreCase) || key.Contains(":Headers", StringComparison.OrdinalIgnoreCase);

    /// <summary>A value as everybody may see it.</summary>
    public static string? Show(string key, string? value) => value is { Length: > 0 } && IsSecret(key) ? Hidden : value;

    /// <summary>Finds what a key stands for.</summary>
    /// <param name="key">As somebody wrote it.</param>
    /// <param name="written">As the options' types write it.</param>
    /// <returns>The type of its value; null if there is no such key.</returns>
    public static Type? Find(SettingSection section, string key, out string written)
    {
        written = section.Name;
        var type = section.Type;
        foreach (var part in key[section.Name.Length..].Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (ValueOf(type) is { } value)
            {
                if (!IsName(part)) return null;
                (type, written) = (value, $"{written}:{part}");
                continue;
            }

            if (IsLeaf(type) || PropertyOf(type, part) is not { } property) return null;
            (type, written) = (property.PropertyType, $"{written}:{property.Name}");
        }

        return section.Fixed.Any(IsWithinFixed(written, section)) ? null : type;
    }

    /// <summary>The keys and values that a value comes to: an object's members stand for themselves.</summary>
    /// <exception cref="FormatException">It has a member that there is not, or no such form.</exception>
    public static IEnumerable<KeyValuePair<string, JsonElement?>> Spread(SettingSection section, string key, JsonElement value)
    {
        if (Find(section, key, out var written) is not { } type) throw new FormatException($"{key} cannot be set while the broker runs.");
        if (value.ValueKind == JsonValueKind.Null) return [new(written, null)];
        if (value.ValueKind == JsonValueKind.String && value.ValueEquals(Hidden)) throw new FormatException($"{written} = {Hidden} is what is shown of a secret.");
        if (value.ValueKind == JsonValueKind.Object && !IsLeaf(type)) return value.EnumerateObject().SelectMany(member => Spread(section, $"{written}:{member.Name}", member.Value));
        RequireForm(written, type, value);
        return [new(written, value)];
    }

    /// <summary>All keys of options and what they are set to: text, or null.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Flatten(string key, object? value, Type type)
    {
        if (ElementOf(type) is { } element)
        {
            var items = ((IEnumerable?)value)?.Cast<object?>().ToArray() ?? [];
            if (IsLeaf(element)) return [new(key, JsonSerializer.Serialize(Array.ConvertAll(items, Text), SettingJson.Default.StringArray))];
            return items.SelectMany((item, at) => Flatten($"{key}:{at}", item, element));
        }

        if (IsLeaf(type)) return [new(key, Text(value))];
        if (ValueOf(type) is { } held) return ((IDictionary?)value)?.Keys.Cast<string>().Order(StringComparer.Ordinal).SelectMany(name => Flatten($"{key}:{name}", ((IDictionary)value)[name], held)) ?? [];
        return value is null ? [] : Properties(type).SelectMany(property => Flatten($"{key}:{property.Name}", property.GetValue(value), property.PropertyType));
    }

    /// <summary>A value as configuration writes it.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Write(string key, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany((item, at) => Write(string.Create(CultureInfo.InvariantCulture, $"{key}:{at}"), item)),
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Write($"{key}:{member.Name}", member.Value)),
        JsonValueKind.String => [new(key, value.GetString())],
        JsonValueKind.Null => [],
        _ => [new(key, value.GetRawText())],
    };

    /// <summary>What is in a list too: the binder passes over what it cannot use, and would set less than was said.</summary>
    private static void RequireForm(string key, Type type, JsonElement value)
    {
        if (ElementOf(type) is { } element)
        {
            if (value.ValueKind != JsonValueKind.Array) throw Unfit("an array");
            foreach (var (at, item) in value.EnumerateArray().Index()) RequireForm(string.Create(CultureInfo.InvariantCulture, $"{key}:{at}"), element, item);
        }
        else if (IsLeaf(type))
        {
            if (value.ValueKind is not (JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)) throw Unfit("one value");
            if (IsTime(type) && IsDays(value.ToString())) throw Unfit("a time such as 00:01:30, as a number alone would be days");
        }
        else
        {
            if (value.ValueKind != JsonValueKind.Object || !value.EnumerateObject().Any()) throw Unfit("an object");
            foreach (var member in value.EnumerateObject())
            {
                var property = PropertyOf(type, member.Name) ?? throw new FormatException($"{key}:{member.Name} cannot be set: there is no such key.");
                RequireForm($"{key}:{property.Name}", property.PropertyType, member.Value);
            }
        }

        FormatException Unfit(string form) => new($"{key} = {Show(key, value.GetRawText())} is not allowed: it must be {form}.");
    }

    private static bool IsTime(Type type) => (Nullable.GetUnderlyingType(type) ?? type) == typeof(TimeSpan);

    /// <summary>Whoever writes 60 for a time means seconds.</summary>
    private static bool IsDays(string time) => time is not ("" or "0") && double.TryParse(time, CultureInfo.InvariantCulture, out _);

    private static Func<string, bool> IsWithinFixed(string written, SettingSection section) => one => IsWithin(written, $"{section.Name}:{one}");

    private static string? Text(object? value) => value switch
    {
        null => null,
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    /// <summary>Names of maps' entries: a colon would begin another key.</summary>
    private static bool IsName(string part) => part.Length <= 256 && !part.Any(char.IsControl);

    /// <summary>Those that can be set; a map can only be filled.</summary>
    private static IEnumerable<PropertyInfo> Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(one => one.CanRead && (one.CanWrite || typeof(IDictionary).IsAssignableFrom(one.PropertyType)) && one.GetIndexParameters().Length == 0);

    private static PropertyInfo? PropertyOf(Type type, string name) => Properties(type).FirstOrDefault(one => one.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    private static bool IsLeaf(Type type)
    {
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        return bare.IsPrimitive || bare.IsEnum || bare == typeof(string) || bare == typeof(TimeSpan) || bare == typeof(decimal);
    }

    /// <summary>What a map holds; null if it is none.</summary>
    private static Type? ValueOf(Type type) => MapOf(type)?.GetGenericArguments()[1];

    private static Type? MapOf(Type? type) => type is null ? null : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>) ? type : MapOf(type.BaseType);

    /// <summary>What a list holds; null if it is none.</summary>
    private static Type? ElementOf(Type type) => type.IsArray ? type.GetElementType() : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>) ? type.GetGenericArguments()[0] : null;
}
