using System.Reflection;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces;

/// <summary>Keeps `Grains.Interfaces/Contracts.txt`, the reviewed listing of what goes over the wire, in step with the code.</summary>
public class ContractsTests
{
    private static readonly Assembly Contracts = typeof(ApplicationMessage).Assembly;

    [Fact]
    public void ListingIsUpToDate_WhenAContractChanges()
    {
        var path = Path.Combine(SourceTree.Root, "Grains.Interfaces", "Contracts.txt");
        var listing = MakeListing();
        if (Environment.GetEnvironmentVariable("UPDATE_CONTRACTS") == "1") File.WriteAllText(path, listing);
        var (reviewed, made) = (File.Exists(path) ? File.ReadAllLines(path) : [], listing.Split('\n')[..^1]);
        var differences = reviewed.Except(made).Select(line => "- " + line.Trim()).Concat(made.Except(reviewed).Select(line => "+ " + line.Trim()));
        Assert.True(
            reviewed.SequenceEqual(made),
            "Grains.Interfaces/Contracts.txt differs from the code. A contract may only gain members: other versions of the program speak it. "
                + "If that is so, run this test with UPDATE_CONTRACTS=1 and commit the file.\n" + string.Join('\n', differences));
    }

    [Fact]
    public void EverythingHasAnAlias_WhenItGoesOverTheWire()
    {
        var nameless = GrainInterfaces().Where(type => Alias(type) is null).Select(type => type.Name)
            .Concat(GrainInterfaces().SelectMany(Methods).Where(method => Alias(method) is null)
                .Select(method => $"{method.DeclaringType!.Name}.{method.Name}"))
            .Concat(Serialized().Where(type => Alias(type) is null).Select(type => type.Name));
        Assert.Empty(nameless);
    }

    [Fact]
    public void AliasesAndIdsAreUnique_WhenThereAreMany()
    {
        Assert.Empty(Serialized().Concat(GrainInterfaces()).GroupBy(Alias).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Empty(Serialized().Where(type => Members(type).GroupBy(member => member.Id).Any(group => group.Count() > 1)).Select(type => type.Name));
        Assert.Empty(GrainInterfaces().Where(type => Methods(type).GroupBy(Alias).Any(group => group.Count() > 1)).Select(type => type.Name));
    }

    private static string MakeListing()
    {
        var text = new StringBuilder(
            "# What goes over the wire. Written by ContractsTests; a change here is a change of the contract. Members are only ever added.\n");
        foreach (var type in GrainInterfaces().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append($"\ninterface {Name(type)} \"{Alias(type)}\"\n");
            foreach (var method in Methods(type).OrderBy(method => method.Name, StringComparer.Ordinal))
            {
                var parameters = method.GetParameters().Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}");
                text.Append($"  \"{Alias(method)}\" {Name(method.ReturnType)} {method.Name}({string.Join(", ", parameters)})\n");
            }
        }

        foreach (var type in Serialized().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append($"\n{(type.IsValueType ? "struct" : "class")} {Name(type)} \"{Alias(type)}\"\n");
            foreach (var (id, name, member) in Members(type).OrderBy(member => member.Id)) text.Append($"  {id} {Name(member)} {name}\n");
        }

        foreach (var type in Serialized().SelectMany(Members).Select(member => Nullable.GetUnderlyingType(member.Type) ?? member.Type)
            .Concat(GrainInterfaces().SelectMany(Methods).SelectMany(method => method.GetParameters()).Select(parameter => parameter.ParameterType))
            .Where(type => type.IsEnum && type.Assembly == Contracts).Distinct().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            var values = Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(value => $"{Enum.GetName(type, value)} = {value}");
            text.Append($"\nenum {Name(type)} : {Name(Enum.GetUnderlyingType(type))}\n  {string.Join("\n  ", values)}\n");
        }

        return text.ToString();
    }

    private static IEnumerable<Type> GrainInterfaces() => Contracts.GetTypes().Where(type => type.IsInterface && type.IsAssignableTo(typeof(IAddressable)));

    private static MethodInfo[] Methods(Type type) => type.GetMethods(BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly);

    private static IEnumerable<Type> Serialized() => Contracts.GetTypes().Where(type => type.IsDefined(typeof(GenerateSerializerAttribute)));

    private static IEnumerable<(uint Id, string Name, Type Type)> Members(Type type)
    {
        const BindingFlags all = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        foreach (var field in type.GetFields(all))
        {
            if (field.GetCustomAttribute<IdAttribute>() is { } id) yield return (id.Id, field.Name, field.FieldType);
        }

        foreach (var property in type.GetProperties(all))
        {
            if (property.GetCustomAttribute<IdAttribute>() is { } id) yield return (id.Id, property.Name, property.PropertyType);
        }
    }

    private static string? Alias(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()?.Alias;

    private static string Name(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying) return Name(underlying) + "?";
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        var name = type.Assembly == Contracts ? type.FullName!["Broker.Grains.Interfaces.".Length..] : type.Name;
        if (!type.IsGenericType) return name;
        return $"{name[..name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
    }
}
