using System.Text.RegularExpressions;
using Xunit;

namespace Broker.Tests.Unit.Deploy;

/// <summary>Every setting an operator is told of exists, and its value would be taken.</summary>
public partial class SettingsTests
{
    [Fact]
    public void SettingsExist_WhenNamedInDeploy() => Assert.Equal([], DeployTree.Files().SelectMany(path => Unknown(path, SourceTree.Text(path))));

    [Fact]
    public void ValuesAreTaken_WhenGivenInDeploy() => Assert.Equal([], DeployTree.Files().SelectMany(path => Values(SourceTree.Text(path)))
        .Select(pair => ProgramSettings.Refuses(pair.Key, pair.Value)).Where(fault => fault is not null));

    [Fact]
    public void EnoughIsFound_WhenFilesAreRead()
    {
        var found = DeployTree.Files().SelectMany(path => Values(SourceTree.Text(path))).Select(pair => pair.Key).ToHashSet();
        Assert.Superset(new HashSet<string> { "Storage:DataDirectory", "Cluster:Port", "Cluster:DrainDelay", "Cluster:HostGrains", "Gateway:NodeName" }, found);
    }

    [Fact]
    public void ListOfMissingSettings_Shrinks()
    {
        Assert.DoesNotContain(ProgramSettings.NotYet, ProgramSettings.Has);
        var named = DeployTree.Files().SelectMany(path => Keys(SourceTree.Text(path))).ToHashSet();
        Assert.DoesNotContain(ProgramSettings.NotYet, key => !named.Contains(key));
    }

    [Theory]
    [InlineData("Broker__Gateway__Prot=1883", "Gateway:Prot")]
    [InlineData("ENV Broker__Gatway__Port=1883", "Gatway:Port")]
    [InlineData("- name: Broker__Cluster__HostGrain\n  value: \"false\"", "Cluster:HostGrain")]
    [InlineData("set `Mqtt:MaxQueueLenght` higher", "Mqtt:MaxQueueLenght")]
    public void FaultIsFound_WhenSettingIsNotThere(string text, string key) => Assert.Equal([$"file: {key}"], Unknown("file", text));

    [Theory]
    [InlineData("Broker__Gateway__Port=70000", "Gateway:Port = 70000")]
    [InlineData("Broker__Cluster__DrainDelay: 5s", "Cluster:DrainDelay = 5s")]
    [InlineData("- name: Broker__Cluster__HostGrains\n  value: \"no\"", "Cluster:HostGrains = no")]
    public void FaultIsFound_WhenValueIsRefused(string text, string fault)
    {
        var (key, value) = Assert.Single(Values(text));
        Assert.StartsWith(fault, ProgramSettings.Refuses(key, value), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Unknown(string path, string text) =>
        Keys(text).Where(key => !ProgramSettings.Has(key) && !ProgramSettings.NotYet.Contains(key)).Select(key => $"{path}: {key}");

    /// <summary>Settings by their names in the environment, and those written `Section:Key`.</summary>
    private static IEnumerable<string> Keys(string text) => Variable().Matches(text).Select(match => $"{match.Groups[1].Value}:{match.Groups[2].Value}")
        .Where(key => key != "Section:Key")
        .Concat(Written().Matches(text).Where(match => ProgramSettings.HasSection(match.Groups[1].Value)).Select(match => match.Value)).Distinct();

    private static IEnumerable<KeyValuePair<string, string>> Values(string text) => Assignment().Matches(text)
        .Select(match => KeyValuePair.Create($"{match.Groups[1].Value}:{match.Groups[2].Value}", match.Groups[3].Value))
        .Where(pair => !pair.Value.StartsWith('$')); // a script's variable

    [GeneratedRegex(@"Broker__([A-Za-z]+)__([A-Za-z]+)")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\b([A-Z][A-Za-z]+):([A-Z][A-Za-z]+)\b")]
    private static partial Regex Written();

    /// <summary>As in environment files and Dockerfiles, as a map, or as Kubernetes writes it. Connection strings hold blanks; nothing else does.</summary>
    [GeneratedRegex("""Broker__([A-Za-z]+)__([A-Za-z]+)(?:=|:[ ]|\s+value:[ ])"?([^"\s]+)""")]
    private static partial Regex Assignment();
}
