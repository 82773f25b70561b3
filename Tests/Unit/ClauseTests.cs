using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Broker.Tests.Unit;

/// <summary>The clauses of the standard that sources and tests name: each exists, and each that the product names has a test.</summary>
public partial class ClauseTests
{
    /// <summary>The highest number of a normative statement in each section of 5.0.</summary>
    private static readonly Dictionary<string, int> V5 = Sections("""
        1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:6 2.2.2:1 3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13 3.3.2:20 3.3.4:10 3.4.2:3 3.5.2:3
        3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4
        3.14.4:3 3.15.1:1 3.15.2:3 4.1.0:2 4.2:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3
        4.12.0:7 4.12.1:2 4.13.1:1 4.13.2:1 6.0.0:4
        """);

    /// <summary>The same of 3.1.1.</summary>
    private static readonly Dictionary<string, int> V311 = Sections("""
        1.5.3:3 2.2.2:2 2.3.1:7 3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 3.6.1:1 3.8.1:1 3.8.3:4 3.8.4:6
        3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 4.1.0:2 4.3.1:1 4.3.2:2 4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4
        4.8.0:2 6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1
        """);

    private static string[] Named =>
    [
        .. SourceTree.ProductionProjects.SelectMany(SourceTree.Sources).SelectMany(path => ClauseId().Matches(SourceTree.Text(path)).Select(match => match.Value)).Distinct(),
    ];

    private static string[] Tested =>
    [
        .. typeof(ClauseTests).Assembly.GetTypes().SelectMany(type => type.GetMethods()).SelectMany(method => method.GetCustomAttributes<ClauseAttribute>())
            .Select(clause => clause.Id).Distinct(),
    ];

    [Fact]
    public void IsOneOfTheStandard_WhenNamed()
    {
        Assert.NotEmpty(Named);
        Assert.Equal([], Named.Concat(Tested).Where(id => !Exists(id)).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void HasATest_WhenTheProductNamesIt() => Assert.Equal([], Named.Except(Tested).Order(StringComparer.Ordinal));

    private static bool Exists(string id) =>
        ClauseId().Match(id) is { Success: true } match && match.Value == id
        && (match.Groups["old"].Success ? V311 : V5).TryGetValue(match.Groups["section"].Value, out var count)
        && int.TryParse(match.Groups["number"].Value, out var number) && number >= 1 && number <= count;

    private static Dictionary<string, int> Sections(string list) =>
        list.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split(':')).ToDictionary(one => one[0], one => int.Parse(one[1]));

    /// <summary>`MQTT-4.7.1-2`, `3.1.1 MQTT-4.7.1-3`; `MQTT-3.4.2.1`, without a hyphen behind, is a section. A tail makes it none that exists.</summary>
    [GeneratedRegex(@"(?<old>3\.1\.1 )?MQTT-(?<section>[0-9]+(\.[0-9]+)*)-(?<number>[0-9]+(\.[0-9]+)*)")]
    private static partial Regex ClauseId();
}
