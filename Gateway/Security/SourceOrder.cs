namespace Broker.Gateway.Security;

/// <summary>Puts sources in the configured order.</summary>
internal static class SourceOrder
{
    /// <summary>Those named come first, in the order of their names; the others behind, in the order in which they were added.</summary>
    public static T[] Apply<T>(IEnumerable<T> sources, Func<T, string> nameOf, string[] order) =>
        [.. sources.OrderBy(source => Array.FindIndex(order, name => string.Equals(name, nameOf(source), StringComparison.OrdinalIgnoreCase)) is >= 0 and var place ? place : int.MaxValue)];
}
