using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Broker.Gateway.Hosting;
using Broker.Grains.Interfaces.Routing;
using Broker.Silo;
using Broker.Silo.Health;

namespace Broker.Tests.Unit.Deploy;

/// <summary>The settings the program has, found by the Section constants of its option classes.</summary>
internal static class ProgramSettings
{
    /// <summary>The port of `/health/live` and `/health/ready`.</summary>
    public static readonly int DefaultAdminPort = new AdminOptions().Port;

    /// <summary>Settings that deploy/ uses and no option class has yet. To shrink until it is empty: a test fails for entries that the program has.</summary>
    public static readonly string[] NotYet = [];

    private static readonly Dictionary<string, PropertyInfo> Properties =
        new[] { typeof(GatewayOptions), typeof(NodeOptions), typeof(RoutingOptions) }.SelectMany(type => type.Assembly.GetTypes())
            .Select(type => (Type: type, Section: type.GetField("Section", BindingFlags.Public | BindingFlags.Static | BindingFlags.FlattenHierarchy)?.GetRawConstantValue() as string))
            .Where(pair => pair.Section is not null)
            .SelectMany(pair => pair.Type.GetProperties().Where(property => property.CanWrite)
                .Select(property => (Key: $"{pair.Section}:{property.Name}", property)))
            .DistinctBy(pair => pair.Key) // a class that has more of another's section
            .ToDictionary(pair => pair.Key, pair => pair.property, StringComparer.Ordinal);

    public static bool Has(string key) => Properties.ContainsKey(key);

    public static bool HasSection(string section) => Properties.Keys.Concat(NotYet).Any(key => key.StartsWith(section + ":", StringComparison.Ordinal));

    /// <summary>Why the program would refuse a value; null if it would not, or does not know the key.</summary>
    public static string? Refuses(string key, string value)
    {
        if (!Properties.TryGetValue(key, out var property)) return null;
        try
        {
            var converted = TypeDescriptor.GetConverter(property.PropertyType).ConvertFromString(null, CultureInfo.InvariantCulture, value);
            var results = new List<ValidationResult>();
            var context = new ValidationContext(Activator.CreateInstance(property.DeclaringType!)!) { MemberName = property.Name };
            return Validator.TryValidateProperty(converted, context, results) ? null : $"{key} = {value}: {results[0].ErrorMessage}";
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException or NotSupportedException)
        {
            return $"{key} = {value}: {fault.Message}";
        }
    }
}
