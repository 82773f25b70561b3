namespace Broker.Gateway.Security.Sources;

/// <summary>Makes one text of several, so that different ones never make the same: clients choose what is in them.</summary>
internal static class CacheKey
{
    /// <summary>Of values in their order; null is none of the texts.</summary>
    public static string Of(params IEnumerable<string?> values) => string.Concat(values.Select(value => value is null ? "-" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{value.Length}:{value}")));
}
